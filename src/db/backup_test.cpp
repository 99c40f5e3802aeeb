#include "db/backup.h"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "async/run.h"
#include "db/database.h"
#include "testing/temp_dir.h"

namespace trawl::db {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Backup : ::testing::Test {
  void SetUp() override { open_database(); }
  void TearDown() override { close_database(); }

  void open_database() {
    auto opened = open_sqlite(file, context.get_executor());
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
  }
  void close_database() {
    if (database) database->close();
    database.reset();
  }
  void add(const std::string& url) {
    ASSERT_TRUE(run_to_end(context, database->write([&](Transaction& t) {
      return t.execute("INSERT INTO webhook_gone (url, tenant, since) VALUES ($1, '', 0)", {url});
    })));
  }
  std::int64_t count() {
    return run_to_end(context, database->read([](Transaction& t) {
             return t.query("SELECT COUNT(*) FROM webhook_gone");
           }))
        .value()
        .front()
        .integer(0);
  }

  TempDir folder;
  const fs::path file = folder / "trawl.db", copy = folder / "copy.db";
  asio::io_context context;
  std::unique_ptr<Database> database;
};

TEST_F(Backup, HoldsWhatWasCommittedWhileTheDatabaseIsInUse) {
  add("a");
  const auto made = back_up(file, copy);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_GT(made->schema, 0);
  add("b");
  struct stat info{};
  ASSERT_EQ(::stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U) << "it holds secrets";
  close_database();
  const auto aside = restore(copy, file);
  ASSERT_TRUE(aside) << aside.error().message;
  EXPECT_TRUE(fs::exists(*aside));
  open_database();
  EXPECT_EQ(count(), 1);
}

TEST_F(Backup, ReplacesNothing) {
  std::ofstream(copy) << "mine";
  EXPECT_EQ(back_up(file, copy).error().code, Errc::conflict);
  EXPECT_EQ(fs::file_size(copy), 4U);
}

TEST_F(Backup, IsNotRestoredUnderARunningServer) {
  ASSERT_TRUE(back_up(file, copy));
  const auto refused = restore(copy, file);
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("in use"));
}

TEST_F(Backup, IsCheckedBeforeItReplacesAnything) {
  add("a");
  ASSERT_TRUE(back_up(file, copy));
  close_database();
  {
    std::fstream damaged(copy, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(4096 * 3);
    damaged << std::string(4096 * 4, 'x');
  }
  std::ofstream(folder / "text") << std::string(5000, 't');
  for (const auto& bad : {copy, folder / "text", folder / "none"}) {
    EXPECT_FALSE(restore(bad, file)) << bad;
  }
  open_database();
  EXPECT_EQ(count(), 1);
  for (const auto& entry : fs::directory_iterator(folder / "."))
    EXPECT_NE(entry.path().extension(), ".part") << entry.path();
}

}  // namespace
}  // namespace trawl::db
