#pragma once

#include "server/config.h"
#include "server/config_checks.h"

// Rules of the sections on who comes in and what they are told.

template <>
struct trawl::Rules<trawl::server::ServerConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "role",
       .doc = "What this process does: everything; `gateway` takes requests and runs no downloads; `worker` "
              "runs "
              "downloads and answers only /health. The last two need PostgreSQL."},
      {.name = "host",
       .doc = "Address or name to listen on; 127.0.0.1 keeps the server to this machine.",
       .min = 1,
       .max = 253,
       .check = server::check_host},
      {.name = "port", .doc = "TCP port to listen on; 0 takes any free one.", .min = 0, .max = 65535},
      {.name = "io_threads",
       .doc = "Threads for calls that block, such as writing and hashing files.",
       .min = 1,
       .max = 16},
      {.name = "public_url",
       .doc = "Where users reach this server, put in front of links to files; empty gives relative links.",
       .max = 2000,
       .example = R"("https://media.example.com")",
       .check = server::check_public_url},
      {.name = "shutdown_grace_sec",
       .doc = "Seconds a stopping server waits for running requests and downloads before it ends them.",
       .min = 0,
       .max = 600},
      {.name = "trusted_proxies",
       .doc = "Addresses and networks of proxies whose word about the client's address is taken.",
       .max = 100,
       .example = R"(["10.0.0.0/8"])",
       .check = server::check_network},
      {.name = "hsts_seconds",
       .doc = "How long browsers may reach this server by HTTPS only (Strict-Transport-Security); 0 says "
              "nothing about it.",
       .min = 0,
       .max = 63'072'000},
      {.name = "proxy_header", .doc = "The field in which those proxies write it."},
      {.name = "linger_sec",
       .doc = "Seconds a server that got SIGTERM still answers after it said it is not ready, so that a load "
              "balancer can notice.",
       .min = 0,
       .max = 60},
      {.name = "keep_alive_sec",
       .doc = "Seconds of silence after which a stream of events sends a comment, so that nothing on the way "
              "takes it for dead.",
       .min = 1,
       .max = 300},
      {.name = "environment",
       .doc = "What this installation is called where several are watched: health and the line that tells "
              "of the start say it.",
       .min = 1,
       .max = 100},
      {.name = "debug", .doc = "Logs at DEBUG, unless log.level is set."}};
};

template <>
struct trawl::Rules<trawl::server::AuthConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "mode",
       .doc = "Whether requests need an API key. With `optional` they may come without and share one "
              "set of downloads; with `off` keys are not looked at and everybody may do everything."},
      {.name = "api_key",
       .doc = "A key with full access, beside those that are made by API; also the way back in when they "
              "are lost.",
       .max = 1000,
       .secret = true,
       .check = server::check_api_key},
      {.name = "header",
       .doc = "The header field that carries a key; `Authorization: Bearer` always works.",
       .min = 1,
       .max = 100,
       .check = server::check_field_name},
      {.name = "bootstrap_token",
       .doc = "What makes the first API key, once, at least 16 characters; empty writes a random one to the "
              "file bootstrap-token in storage.dir.",
       .max = 1000,
       .secret = true,
       .check = server::check_bootstrap_token}};
};

template <>
struct trawl::Rules<trawl::server::LimitsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether requests are counted at all."},
      {.name = "ip_per_minute",
       .doc = "Requests a minute from one address without a good key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "ip_per_hour", .doc = "The same for an hour; 0 sets no limit.", .min = 0, .max = 1'000'000},
      {.name = "rps", .doc = "The same for a second; 0 sets no limit.", .min = 0, .max = 1'000'000},
      {.name = "burst", .doc = "How many of those may come at once, with limits.rps.", .min = 1, .max = 1000},
      {.name = "level_read_only",
       .doc =
           "Requests a minute of one read_only key; 0 sets no limit. Here and below a key may have its own.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_download",
       .doc = "Requests a minute of one download key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_admin",
       .doc = "Requests a minute of one admin key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_full_access",
       .doc = "Requests a minute of one full_access key; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "level_anonymous",
       .doc = "Requests a minute from one address without a key, where keys are optional; 0 sets no limit.",
       .min = 0,
       .max = 1'000'000},
      {.name = "route_download",
       .doc = "How often one caller may create a download: rates such as `2/s, 10/min`, or `off`.",
       .max = 100,
       .check = server::check_rates},
      {.name = "route_playlist",
       .doc = "How often one caller may ask for a playlist or channel.",
       .max = 100,
       .check = server::check_rates},
      {.name = "route_batch",
       .doc = "How often one caller may create a batch.",
       .max = 100,
       .check = server::check_rates},
      {.name = "in_flight",
       .doc = "Requests worked on at the same time; more are answered with 503.",
       .min = 1,
       .max = 100'000}};
};

template <>
struct trawl::Rules<trawl::server::LinksConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "secret",
       .doc = "Signs links to files; empty keeps a random one in the file link-secret in storage.dir. Nodes "
              "that serve the same files need the same.",
       .max = 1000,
       .secret = true,
       .check = server::check_bootstrap_token}};
};

template <>
struct trawl::Rules<trawl::server::CookiesConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "key",
       .doc =
           "Encrypts stored cookies: 64 hex digits, or 32 bytes in base64. Without one none can be stored.",
       .max = 200,
       .secret = true,
       .check = server::check_vault_key},
      {.name = "key_file",
       .doc = "A file that holds that key, in place of cookies.key.",
       .max = 4000,
       .check = server::check_path},
      {.name = "old_keys",
       .doc = "Earlier keys: what they encrypted is encrypted anew at the start, after which they can go.",
       .max = 10,
       .secret = true,
       .check = server::check_vault_key},
      {.name = "browsers",
       .doc = "Browsers on this machine whose cookies may be taken by who may store cookies.",
       .max = 10,
       .example = R"(["firefox"])",
       .check = server::check_browser},
      {.name = "expiry_warning_days",
       .doc = "Days before their end at which cookies are said to expire soon.",
       .min = 1,
       .max = 90},
      {.name = "rotation_days",
       .doc =
           "Days after which stored cookies are said to be due: sites forget sessions before their cookies "
           "end; 0 never says so.",
       .min = 0,
       .max = 3650}};
};

template <>
struct trawl::Rules<trawl::server::CorsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "origins",
       .doc =
           "Origins whose web pages may call this server from a browser, each exactly as browsers send it.",
       .max = 100,
       .example = R"(["https://app.example.com"])",
       .check = server::check_origin},
      {.name = "credentials", .doc = "Whether those pages may send credentials the browser keeps."}};
};

template <>
struct trawl::Rules<trawl::server::WebhookConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether a request may name a webhook_url and events are sent there."},
      {.name = "timeout_sec", .doc = "Seconds one attempt may take.", .min = 1, .max = 60},
      {.name = "attempts", .doc = "Attempts at one delivery before it is given up.", .min = 1, .max = 10},
      {.name = "backoff",
       .doc = "The pauses between attempts: 1, 2, 4, ... seconds, or those of Standard Webhooks (5 s, 5 min, "
              "30 min, 2 h, ... 24 h)."},
      {.name = "secret",
       .doc = "What deliveries are signed with: `whsec_` and base64, or any text of 16 characters. Name two "
              "while you change it, the new one first. Empty: auth.api_key; without that nothing is signed.",
       .max = 4,
       .secret = true,
       .check = server::check_webhook_secret},
      {.name = "allow_private_networks",
       .doc = "Whether webhooks may go to loopback, private and link-local addresses."}};
};

template <>
struct trawl::Rules<trawl::server::LogConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "level", .doc = "Lines below this level are not logged."},
      {.name = "format", .doc = "One JSON object per line for machines, or text for people."},
      {.name = "dir",
       .doc = "A folder where the lines are also kept, in `trawl.log`. Each process needs one of its own.",
       .example = "\"/var/log/trawl\"",
       .check = server::check_path},
      {.name = "max_bytes",
       .doc = "Size at which that file becomes `trawl.1.log` and a new one begins.",
       .min = 1 << 16},
      {.name = "backups", .doc = "How many of those are kept.", .min = 0, .max = 1000}};
};

template <>
struct trawl::Rules<trawl::server::MetricsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether there is GET /metrics, for Prometheus."},
      {.name = "open", .doc = "Whether it asks for no key; without it the key has to be an admin's."},
      {.name = "port",
       .doc = "A port of its own for it, where nothing else is answered; 0: that of everything else.",
       .min = 0,
       .max = 65535}};
};

template <>
struct trawl::Rules<trawl::server::DocsConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled",
       .doc = "Whether the API describes itself: /api/docs, /api/redoc and /api/openapi.json."}};
};

template <>
struct trawl::Rules<trawl::server::UiConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "enabled", .doc = "Whether there is a web page at `/`."},
      {.name = "static_dir",
       .doc =
           "A folder with a page in place of Trawl's own: `index.html` is shown at `/`, the other files are "
           "found below `/ui/`. It is read when the server starts.",
       .example = "\"/srv/page\"",
       .check = server::check_path}};
};

template <>
struct trawl::Rules<trawl::server::LogsConfig> {
  static constexpr FieldRule fields[] = {{.name = "max_lines_per_job",
                                          .doc = "Log lines kept for each download; the oldest go first.",
                                          .min = 10,
                                          .max = 100'000}};
};
