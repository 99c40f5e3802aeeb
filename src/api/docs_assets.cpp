#include "api/docs_assets.h"

#include <stdexcept>
#include <zlib.h>

#include "api/embed.h"

// third_party/ says where the files come from; scripts/vendor-docs brings them up to date.
TRAWL_EMBED(trawl_swagger_js, TRAWL_THIRD_PARTY "/swagger-ui-dist/swagger-ui-bundle.js.gz");
TRAWL_EMBED(trawl_swagger_css, TRAWL_THIRD_PARTY "/swagger-ui-dist/swagger-ui.css.gz");
TRAWL_EMBED(trawl_redoc_js, TRAWL_THIRD_PARTY "/redoc/redoc.standalone.js.gz");

namespace trawl::api {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib: 32 KiB window, gzip framing.

// The pages run no script of their own text, so that their policy can forbid such.
constexpr std::string_view kSwaggerStart = R"(SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
});
)";
// Its search runs in a worker made of text.
constexpr std::string_view kRedocStart =
    R"(Redoc.init("/api/openapi.json", {disableSearch: true, nativeScrollbars: true}, document.getElementById("docs"));
)";

}  // namespace

std::optional<DocsAsset> docs_asset(std::string_view name) {
  constexpr std::string_view kScript = "text/javascript; charset=utf-8";
  if (name == "swagger-ui-bundle.js") return DocsAsset{kScript, TRAWL_EMBEDDED(trawl_swagger_js), true};
  if (name == "swagger-ui.css")
    return DocsAsset{"text/css; charset=utf-8", TRAWL_EMBEDDED(trawl_swagger_css), true};
  if (name == "redoc.standalone.js") return DocsAsset{kScript, TRAWL_EMBEDDED(trawl_redoc_js), true};
  if (name == "swagger-start.js") return DocsAsset{kScript, kSwaggerStart};
  if (name == "redoc-start.js") return DocsAsset{kScript, kRedocStart};
  return std::nullopt;
}

std::string unpacked(std::string_view gzip) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) throw std::runtime_error("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  int result = Z_OK;
  while (result == Z_OK) {
    const std::size_t before = out.size();
    out.resize(before + (256U << 10));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("an embedded file is damaged");
  return out;
}

}  // namespace trawl::api
