#pragma once

#include "server/config.h"
#include "server/config_checks.h"

// Rules of the sections on where things are kept.

template <>
struct trawl::Rules<trawl::server::StorageConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "backend",
       .doc = "Where finished files are kept: `local` is a folder in storage.dir, `s3` a bucket. There is no "
              "falling back from one to the other."},
      {.name = "dir",
       .doc = "Folder for work in progress and, with the backend `local`, finished files; created when "
              "missing.",
       .min = 1,
       .max = 4000,
       .check = server::check_path},
      {.name = "retention_hours",
       .doc = "Hours after which finished files are deleted, at least 0.1; 0 keeps them.",
       .min = 0,
       .max = 8760},
      {.name = "quota_bytes",
       .doc =
           "Bytes that all finished files may take together; the oldest are deleted when there are more. 0 "
           "sets no limit.",
       .min = 0},
      {.name = "low_disk_bytes",
       .doc = "No download starts while less than this is free in storage.dir.",
       .min = 0},
      {.name = "max_upload_bytes", .doc = "Largest file that may be uploaded.", .min = 1},
      {.name = "scrub_rate_bytes",
       .doc = "Bytes of stored files that are read again in a second, to see that they are still what was "
              "stored. 0 reads none.",
       .min = 0},
      {.name = "scrub_days", .doc = "Days after which a stored file is read again.", .min = 0, .max = 3650}};
};

template <>
struct trawl::Rules<trawl::server::S3Config> {
  static constexpr FieldRule fields[] = {
      {.name = "bucket", .doc = "The bucket; it must exist.", .max = 63},
      {.name = "region", .doc = "Its region.", .min = 1, .max = 64},
      {.name = "endpoint",
       .doc = "Another server than Amazon's: `https://storage.example.com:9000`. It may be in a private "
              "network.",
       .max = 1000,
       .check = server::check_path},
      {.name = "prefix",
       .doc = "Before every key, for a bucket that others use as well. No two installations share one.",
       .max = 500,
       .check = server::check_path},
      {.name = "style",
       .doc = "Whether the bucket is named in the `path` or in the host (`virtual_host`); by itself the path "
              "for servers other than Amazon's."},
      {.name = "access_key",
       .doc = "The access key id. Without it keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the "
              "container or the instance, in this order.",
       .max = 200},
      {.name = "secret_key", .doc = "The secret access key.", .max = 200, .secret = true},
      {.name = "ca_file",
       .doc = "Certificate authorities (PEM) to trust besides those of the system.",
       .max = 4000,
       .check = server::check_path},
      {.name = "delivery",
       .doc =
           "How files are given out: a `redirect` to a presigned address, to the `cdn`, or passed on by this "
           "server (`proxy`)."},
      {.name = "url_ttl", .doc = "Seconds such an address works.", .min = 60, .max = 604800},
      {.name = "cdn_domain",
       .doc = "The domain of a CDN before the bucket, such as `d111111abcdef8.cloudfront.net`.",
       .max = 253,
       .check = server::check_cdn_domain},
      {.name = "cdn_key_id",
       .doc = "The id of the CloudFront public key; with it addresses of the CDN are signed.",
       .max = 100},
      {.name = "cdn_key_file",
       .doc = "The private RSA key for it (PEM), readable by the server only.",
       .max = 4000,
       .check = server::check_path},
      {.name = "connections", .doc = "Requests to the bucket at once.", .min = 1, .max = 64},
      {.name = "part_bytes",
       .doc = "Larger files are stored in parts of this size, several at once; at least 5 MiB.",
       .min = 5 << 20,
       .max = 1 << 30},
      {.name = "early_parts",
       .doc = "Whether parts of a file that is stored as it comes are sent while the rest is still being "
              "downloaded."}};
};

template <>
struct trawl::Rules<trawl::server::DbConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "The database of jobs: `sqlite:///relative/path`, `sqlite:////absolute/path`, or "
              "`postgresql://user:password@host/name` for several servers over one database.",
       .max = 4000,
       .secret = true,
       .check = server::check_db_url},
      {.name = "connections", .doc = "Connections to PostgreSQL; SQLite needs none.", .min = 1, .max = 64}};
};

template <>
struct trawl::Rules<trawl::server::RedisConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "`redis://:password@host:port/0`: carries news between servers over one database, and who "
              "takes the "
              "next download. It holds nothing that matters: without it PostgreSQL does the same, slower.",
       .max = 4000,
       .secret = true,
       .check = server::check_redis_url}};
};

template <>
struct trawl::Rules<trawl::server::BrokerConfig> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "A queue that says which server takes the next download, in place of Redis: "
              "`sqs://sqs.eu-west-1.amazonaws.com/123456789012/trawl`.",
       .max = 4000,
       .check = server::check_queue_url},
      {.name = "access_key",
       .doc = "The access key id for the queue. Without it keys come from AWS_ACCESS_KEY_ID and "
              "AWS_SECRET_ACCESS_KEY, the container or the instance, in this order.",
       .max = 200},
      {.name = "secret_key", .doc = "The secret access key for the queue.", .max = 200, .secret = true}};
};
