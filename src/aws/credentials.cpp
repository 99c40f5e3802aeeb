#include "aws/credentials.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "aws/metadata_call.h"
#include "base/json.h"
#include "base/text.h"

namespace trawl::aws {
namespace {

constexpr std::chrono::minutes kBeforeTheEnd{5};
constexpr std::string_view kContainerHost = "http://169.254.170.2";
constexpr std::string_view kInstanceHost = "http://169.254.169.254";

using Environment = std::map<std::string, std::string>;

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// The host of an absolute address without user information, in brackets if it was.
std::string_view host_of(std::string_view url) {
  const auto from = url.find("://");
  if (from == std::string_view::npos) return {};
  std::string_view rest = url.substr(from + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.contains('@')) return {};
  if (rest.starts_with('[')) return rest.substr(0, rest.find(']') + 1);
  return rest.substr(0, rest.find(':'));
}

bool may_hand_out_keys(std::string_view url) {
  if (url.starts_with("https://")) return !host_of(url).empty();
  if (!url.starts_with("http://")) return false;
  const std::string_view host = host_of(url);
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "169.254.170.2" ||
         host == "169.254.170.23" || host == "[fd00:ec2::23]";
}

std::string text(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

// The document both services answer with.
Result<Keys> read_keys(const std::string& answer) {
  const auto document = parse_json(answer);
  if (!document || !document->is_object())
    return fail(Errc::unavailable, "the service for keys answers something that is no JSON",
                "no_credentials");
  const json::object& fields = document->get_object();
  Keys keys{.access = text(fields, "AccessKeyId"),
            .secret = text(fields, "SecretAccessKey"),
            .token = text(fields, "Token")};
  if (!keys.given())
    return fail(Errc::unavailable, "the service for keys answers without any", "no_credentials");
  if (const auto end = parse_iso8601(text(fields, "Expiration"))) keys.expires_at = *end;
  return keys;
}

Result<Keys> from_container(const KeySources& sources) {
  std::string token = sources.container_token;
  if (!sources.container_token_file.empty()) {
    std::ifstream in(sources.container_token_file, std::ios::binary);
    token.assign(std::istreambuf_iterator<char>(in), {});
    if (!in)
      return fail(Errc::unavailable, fmt::format("cannot read {}", sources.container_token_file),
                  "no_credentials");
  }
  std::vector<std::string> headers;
  if (!token.empty()) headers.push_back(fmt::format("Authorization: {}", trim(token)));
  const auto answer = metadata_call("GET", sources.container_url, headers);
  if (!answer) return fail(answer.error());
  return read_keys(*answer);
}

// IMDSv2: a token first, which a request forged through a proxy cannot get.
Result<Keys> from_instance(const std::string& host) {
  const auto token =
      metadata_call("PUT", host + "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds: 300"});
  if (!token) return fail(token.error());
  const std::vector<std::string> headers{fmt::format("X-aws-ec2-metadata-token: {}", trim(*token))};
  const std::string roles = host + "/latest/meta-data/iam/security-credentials/";
  const auto role = metadata_call("GET", roles, headers);
  if (!role) return fail(role.error());
  const auto answer = metadata_call("GET", roles + percent_encode(trim(split(*role, '\n').front())), headers);
  if (!answer) return fail(answer.error());
  return read_keys(*answer);
}

}  // namespace

Result<KeySources> key_sources(const Keys& configured, const Environment& environment) {
  KeySources out;
  out.given = configured;
  if (!out.given.given())
    out.given = {.access = variable(environment, "AWS_ACCESS_KEY_ID"),
                 .secret = variable(environment, "AWS_SECRET_ACCESS_KEY"),
                 .token = variable(environment, "AWS_SESSION_TOKEN")};
  const std::string relative = variable(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  out.container_url = relative.empty() ? variable(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
                                       : fmt::format("{}{}", kContainerHost, relative);
  if (!out.container_url.empty() && !may_hand_out_keys(out.container_url))
    return fail(Errc::invalid,
                "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine or its host",
                "invalid_configuration");
  out.container_token = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  out.container_token_file = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (to_lower(variable(environment, "AWS_EC2_METADATA_DISABLED")) != "true") {
    out.instance_url = variable(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (out.instance_url.empty()) out.instance_url = kInstanceHost;
    while (out.instance_url.ends_with('/')) out.instance_url.pop_back();
  }
  return out;
}

Result<Keys> Credentials::fetch() const {
  if (sources_.given.given()) return sources_.given;
  if (!sources_.container_url.empty()) return from_container(sources_);
  if (!sources_.instance_url.empty()) {
    auto keys = from_instance(sources_.instance_url);
    if (keys) return keys;
    return fail(Errc::unavailable,
                fmt::format("there are no keys in the configuration or the environment, and none for this "
                            "machine: {}",
                            keys.error().message),
                "no_credentials");
  }
  return fail(Errc::unavailable, "there are no keys in the configuration or the environment",
              "no_credentials");
}

Result<Keys> Credentials::get() {
  const std::lock_guard lock(mutex_);
  const SystemTime now = clock_.now();
  const bool ending = current_.expires_at && *current_.expires_at - kBeforeTheEnd <= now;
  if (current_.given() && !ending) return current_;
  auto fresh = fetch();
  if (fresh) current_ = *fresh;
  // Keys that still work are better than none.
  if (!fresh && current_.given() && *current_.expires_at > now) return current_;
  return fresh;
}

void Credentials::refused(const Keys& keys) {
  const std::lock_guard lock(mutex_);
  if (current_ == keys) current_ = {};
}

}  // namespace trawl::aws
