#include "http/multipart.h"

#include <gtest/gtest.h>

#include "async/run.h"

namespace trawl::http {
namespace {

// Gives a text in pieces of `step` bytes.
class Pieces final : public BodySource {
 public:
  Pieces(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  Task<Result<std::optional<std::string>>> next() override {
    if (at_ >= text_.size()) co_return std::nullopt;
    std::string piece = text_.substr(at_, step_);
    at_ += piece.size();
    co_return piece;
  }

 private:
  std::string text_;
  std::size_t step_, at_ = 0;
};

// "name[filename]=data|..." or the reason of the error.
std::string read(const std::string& body, std::size_t step, bool take = true) {
  asio::io_context context;
  const auto all = [&]() -> Task<std::string> {
    MultipartReader form(std::make_shared<Pieces>(body, step), "XX");
    std::string out;
    while (true) {
      const auto part = co_await form.next_part();
      if (!part) co_return part.error().reason;
      if (!*part) co_return out;
      out += (*part)->name + ((*part)->filename ? "[" + *(*part)->filename + "]" : "") + "=";
      while (take) {
        const auto data = co_await form.next_data();
        if (!data) co_return data.error().reason;
        if (!*data) break;
        out += **data;
      }
      out += "|";
    }
  };
  return run_to_end(context, all());
}

const std::string kForm =
    "--XX\r\nContent-Disposition: form-data; name=\"job_id\"\r\n\r\n42\r\n"
    "--XX\r\ncontent-disposition: form-data; name=file; filename=\"a \\\"b\\\".mp4\"\r\nContent-Type: "
    "video/mp4\r\n\r\n"
    "line\r\n--X\r\n-XX\r\n--XX\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--XX--\r\n";

TEST(Multipart, ReadsPartsHoweverTheyArrive) {
  for (const std::size_t step : {1, 2, 3, 7, 50, 10'000}) {
    EXPECT_EQ(read(kForm, step), "job_id=42|file[a \"b\".mp4]=line\r\n--X\r\n-XX|empty=|") << step;
    EXPECT_EQ(read(kForm, step, false), "job_id=|file[a \"b\".mp4]=|empty=|") << step;
    EXPECT_EQ(read("before\r\n" + kForm + "after", step), read(kForm, step)) << step;
  }
}

TEST(Multipart, RefusesWhatIsCutOffOrHasNoNames) {
  for (const std::size_t step : {1, 10'000}) {
    for (std::size_t size = 0; size < kForm.size() - 4; size += 9)
      EXPECT_EQ(read(kForm.substr(0, size), step), "bad_request") << size;
    EXPECT_EQ(read("--XX\r\n\r\ndata\r\n--XX--", step), "bad_request");
    EXPECT_EQ(read("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\ndata\r\n--XX--", step),
              "bad_request");
    EXPECT_EQ(read("--XXY\r\nContent-Disposition: form-data; name=a\r\n\r\ndata\r\n--XX--", step),
              "bad_request");
    EXPECT_EQ(read("--XX\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", step), "bad_request");
  }
}

TEST(Multipart, KnowsTheBoundary) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  for (const char* none :
       {"", "multipart/form-data", "multipart/mixed; boundary=a", "multipart/form-data; boundary="})
    EXPECT_EQ(form_boundary(none), std::nullopt) << none;
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=" + std::string(71, 'x')), std::nullopt);
}

}  // namespace
}  // namespace trawl::http
