#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sandbox/broker.h"
#include "sandbox/confinement.h"
#include "sandbox/filter.h"
#include "sandbox/process_view.h"
#include "testing/temp_dir.h"

namespace trawl::sandbox {
namespace {

std::vector<char> ipv4(const char* address, std::uint16_t port, sa_family_t family = AF_INET) {
  sockaddr_in out{};
  out.sin_family = family;
  out.sin_port = htons(port);
  inet_pton(AF_INET, address, &out.sin_addr);
  std::vector<char> bytes(sizeof out);
  std::memcpy(bytes.data(), &out, sizeof out);
  return bytes;
}

TEST(Broker, KnowsOneAddressAndNoOtherWayToWriteIt) {
  EXPECT_TRUE(leads_to_proxy(ipv4("127.0.0.1", 4000), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("127.0.0.1", 4001), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("127.0.0.2", 4000), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("0.0.0.0", 4000), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("169.254.169.254", 4000), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("127.0.0.1", 4000, AF_INET6), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("127.0.0.1", 4000, AF_UNSPEC), 4000));
  EXPECT_FALSE(leads_to_proxy(ipv4("127.0.0.1", 0), 0));
  const auto whole = ipv4("127.0.0.1", 4000);
  EXPECT_FALSE(leads_to_proxy(std::span(whole).first(8), 4000));
}

TEST(ProcessView, ReadsFlagsAndMemoryFromProc) {
  EXPECT_EQ(parse_file_flags("pos:\t0\nflags:\t02004002\nmnt_id:\t9\n"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  EXPECT_EQ(parse_file_flags("pos:\t0\n"), std::nullopt);
  EXPECT_EQ(
      parse_own_memory("VmRSS:\t 900 kB\nRssAnon:\t     100 kB\nRssFile:\t 800 kB\nRssShmem:\t  7 kB\n"),
      107 * 1024U);
  EXPECT_EQ(parse_own_memory(""), 0U);
}

TEST(ProcessView, ReadsOurOwnMemoryAndRefusesWhatIsNotThere) {
  const char words[] = "here";
  std::array<char, 4> out{};
  const auto address = reinterpret_cast<std::uint64_t>(words);
  EXPECT_EQ(read_memory(getpid(), geteuid(), address, out), 4U);
  EXPECT_EQ(std::string(out.data(), 4), "here");
  EXPECT_EQ(read_memory(getpid(), geteuid(), 16, out), 0U);
}

TEST(Filter, IsWithinWhatTheKernelTakes) {
  EXPECT_LT(filter({}).size(), 4096U);
  EXPECT_EQ(filter({}).back().k, static_cast<__u32>(SECCOMP_RET_ALLOW));
}

class HandOver : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    std::filesystem::create_directory(work);
  }
  uid_t owner_of(const std::filesystem::path& path) const {
    struct stat info{};
    EXPECT_EQ(lstat(path.c_str(), &info), 0);
    return info.st_uid;
  }
  Done hand_over_work() const {
    const int fd = open(work.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    auto done = hand_over(fd, 59'000);
    close(fd);
    return done;
  }
  TempDir temp;
  std::filesystem::path work = temp.path() / "work";
};

TEST_F(HandOver, GivesAwayTheFolderAndItsPlainFilesAtAnyDepth) {
  std::filesystem::create_directory(work / "inner");
  std::ofstream(work / "inner" / "part") << "x";
  ASSERT_TRUE(hand_over_work());
  EXPECT_EQ(owner_of(work), 59'000U);
  EXPECT_EQ(owner_of(work / "inner" / "part"), 59'000U);
}

TEST_F(HandOver, LeavesWhatAnEarlierChildMayHaveLinkedTo) {
  std::ofstream(temp.path() / "secret") << "x";
  std::filesystem::create_symlink(temp.path() / "secret", work / "link");
  std::filesystem::create_symlink(temp.path(), work / "folder");
  std::filesystem::create_hard_link(temp.path() / "secret", work / "same");
  ASSERT_TRUE(hand_over_work());
  EXPECT_EQ(owner_of(temp.path() / "secret"), 0U);
  EXPECT_EQ(owner_of(temp.path()), 0U);
}

}  // namespace
}  // namespace trawl::sandbox
