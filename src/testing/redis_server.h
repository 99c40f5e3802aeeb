#pragma once

#include <chrono>
#include <csignal>
#include <fstream>
#include <netinet/in.h>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "redis/connection.h"
#include "testing/temp_dir.h"

namespace trawl {

// A throw-away Redis on loopback, ended with its owner. What it held is gone after stop().
class RedisServer {
 public:
  RedisServer() : port_(free_port()) { start(); }
  ~RedisServer() { stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  void start() {
    const std::string port = fmt::format("{}", port_), folder = folder_.path().string();
    const pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port.c_str(), "--save", "",
               "--dir", folder.c_str(), "--loglevel", "warning", "--logfile", "redis.log", nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 500; ++i) {
      auto connection = redis::Connection::open(address());
      if (connection && connection->command({"PING"})) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("redis-server does not start");
  }
  void stop() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  [[nodiscard]] redis::Address address() const { return {.host = "127.0.0.1", .port = port_}; }

 private:
  static int free_port() {
    const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    const bool ok = ::bind(s, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(s, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(s);
    if (!ok) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
  }

  TempDir folder_;
  int port_;
  pid_t child_ = 0;
};

}  // namespace trawl
