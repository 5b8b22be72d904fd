// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gate.hpp"

namespace support {

/// A port on loopback that no other test uses at the same time: the UDP port of that number says
/// so. It is none of those that the system gives to clients: one that tries a port where nobody
/// listens must not meet itself.
class Port {
 public:
  Port() {
    static std::atomic<int> tried{0};
    for (int tries = 0; tries < 12'000; ++tries) {
      number_ = 20'000 + (getpid() * 37 + ++tried) % 12'000;
      reserved_ = bound(SOCK_DGRAM);
      const int free = bound(SOCK_STREAM);
      if (free >= 0) ::close(free);
      if (reserved_ >= 0 && free >= 0) return;
      if (reserved_ >= 0) ::close(reserved_);
    }
    throw std::runtime_error("no port is free");
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { ::close(reserved_); }

  [[nodiscard]] int number() const { return number_; }

  /// A socket that has the port; below 0 if it is taken.
  [[nodiscard]] int bound(int type) const {
    const int made = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (type == SOCK_STREAM) setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(number_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
    ::close(made);
    return -1;
  }

 private:
  int number_ = 0;
  int reserved_ = -1;
};

/// A socket on loopback that listens, and does not answer.
class SilentServer {
 public:
  SilentServer() : socket_(port_.bound(SOCK_STREAM)) { listen(socket_, 100); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { close(); }

  [[nodiscard]] int port() const { return port_.number(); }

  /// Answers the next client after all, with this, once it has asked something, and hangs up.
  void answer(const std::string& text) const {
    const int client = accept(socket_, nullptr, nullptr);
    std::array<char, 4096> asked{};
    (void)recv(client, asked.data(), asked.size(), 0);
    (void)send(client, text.data(), text.size(), MSG_NOSIGNAL);
    ::close(client);
  }

  /// Resets the connections that there are.
  void close() {
    if (const int open = std::exchange(socket_, -1); open >= 0) ::close(open);
  }

 private:
  const Port port_;
  int socket_;
};

/// A connection of the test's own, for one thread.
class RedisClient {
 public:
  explicit RedisClient(int port) : context_(redisConnect("127.0.0.1", port), redisFree) {
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(patience());
    redisSetTimeout(context_.get(), timeval{.tv_sec = time.count(), .tv_usec = 0});
  }

  [[nodiscard]] bool is_connected() const { return context_->err == 0; }

  /// What is answered, an array as its elements, a number as its text; what is no text is empty.
  std::vector<std::string> ask(const std::vector<std::string>& words) {
    std::vector<const char*> texts;
    for (const std::string& word : words) texts.push_back(word.c_str());
    redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), nullptr);
    return answer();
  }

  std::map<std::string, std::string> hash(const std::string& key) {
    const std::vector<std::string> answer = ask({"HGETALL", key});
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i + 1 < answer.size(); i += 2) fields[answer[i]] = answer[i + 1];
    return fields;
  }

  /// The next message of the channel that this is subscribed to.
  nlohmann::json message() { return nlohmann::json::parse(answer().at(2)); }

 private:
  std::vector<std::string> answer() {
    void* raw = nullptr;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
      throw std::runtime_error(std::string("no answer: ") + context_->errstr);
    }
    const std::unique_ptr<void, void (*)(void*)> owner(raw, freeReplyObject);
    const auto* const reply = static_cast<const redisReply*>(raw);
    if (reply->type != REDIS_REPLY_ARRAY) return {text(*reply)};
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < reply->elements; ++i) texts.push_back(text(*reply->element[i]));
    return texts;
  }

  static std::string text(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) return std::to_string(reply.integer);
    return reply.str == nullptr ? std::string{} : std::string{reply.str, reply.len};
  }

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
};

/// A real redis-server on loopback, which keeps nothing: down until it is started.
class RedisServer {
 public:
  [[nodiscard]] static bool is_there() {
    return std::system("command -v redis-server >/dev/null") == 0;  // NOLINT(cert-env33-c)
  }

  explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) {
    std::string path = (std::filesystem::temp_directory_path() / "xofn-redis-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no directory: " + path);
    directory_ = path;
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    kill();
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] int port() const { return port_.number(); }
  [[nodiscard]] std::string socket() const { return directory_ / "socket"; }

  /// Returns when it answers.
  void start() {
    std::vector<std::string> words{"redis-server", "--port",    std::to_string(port()),
                                   "--bind",       "127.0.0.1", "--dir",
                                   directory_,     "--save",    "",
                                   "--appendonly", "no",        "--unixsocket",
                                   socket()};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed =
        posix_spawnp(&process_, "redis-server", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) process_ = none;
    const bool answers = eventually([&] {
      RedisClient client(port());
      return client.is_connected() && !client.ask({"PING"}).at(0).starts_with("LOADING");
    });
    if (!answers) throw std::runtime_error("redis-server does not answer");
  }

  void kill() {
    if (process_ == none) return;
    ::kill(process_, SIGKILL);
    waitpid(std::exchange(process_, none), nullptr, 0);
  }

  /// It stands still; what is sent to it waits.
  void stop() {
    ::kill(process_, SIGSTOP);
    waitpid(process_, nullptr, WUNTRACED);
  }
  void resume() { ::kill(process_, SIGCONT); }

 private:
  static constexpr pid_t none = -1;

  const std::vector<std::string> options_;
  const Port port_;
  std::filesystem::path directory_;
  pid_t process_ = none;
};

}  // namespace support
