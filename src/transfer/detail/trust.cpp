#include "transfer/detail/trust.h"

#include <algorithm>
#include <curl/curl.h>
#include <filesystem>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace trawl::transfer::detail {

namespace {

// Where OpenSSL looks for single certificates by their names' hashes.
bool has_hashed_folder() {
  std::error_code error;
  const std::filesystem::directory_iterator folder(::X509_get_default_cert_dir(), error);
  return !error &&
         std::ranges::any_of(folder, [](const auto& entry) { return entry.path().extension() == ".0"; });
}

}  // namespace

Trust load_trust(const std::string& ca_file) {
  Trust trust(::X509_STORE_new(), [](X509_STORE* store) { ::X509_STORE_free(store); });
  if (!trust) throw std::bad_alloc();
  // A folder of which only what is needed is read, or, where there is none, the file that curl was built for,
  // which takes tens of milliseconds.
  ::X509_STORE_set_default_paths(trust.get());
  if (const char* bundle = ::curl_version_info(CURLVERSION_NOW)->cainfo; bundle && !has_hashed_folder())
    ::X509_STORE_load_file(trust.get(), bundle);
  if (!ca_file.empty() && ::X509_STORE_load_file(trust.get(), ca_file.c_str()) != 1) {
    throw std::runtime_error(
        fmt::format("{} has no certificates that can be read (transfer.ca_file)", ca_file));
  }
  ::ERR_clear_error();
  return trust;
}

}  // namespace trawl::transfer::detail
