// SPDX-License-Identifier: MIT
// Not API: a connection to a Redis server.
#pragma once

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>
#include <xofn/publish/redis_channel_options.hpp>
#include <xofn/publish/redis_reply.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

using RedisCommand = std::vector<std::string>;

/// Waits for the server until a deadline and no longer, and raises no signal when it has gone: so
/// bytes are sent and received here, and hiredis knows what they mean. What fails throws a
/// std::exception, after which the connection is of no use.
template <class Sync = StdSync>
class RedisConnection {
 public:
  using Clock = typename Sync::clock;
  using TimePoint = typename Clock::time_point;

  RedisConnection(const RedisChannelOptions& options, TimePoint deadline)
      : context_(connected(options, deadline)) {
    if (context_ == nullptr) throw std::bad_alloc();
    if (context_->err != 0) throw std::runtime_error(&context_->errstr[0]);
    throw_if_failed(fcntl(context_->fd, F_SETFD, FD_CLOEXEC));
    std::vector<RedisCommand> commands;
    if (!options.user.empty()) {
      commands.push_back({"AUTH", options.user, options.password});
    } else if (!options.password.empty()) {
      commands.push_back({"AUTH", options.password});
    }
    if (options.database != 0) commands.push_back({"SELECT", std::to_string(options.database)});
    static_cast<void>(exchange(commands, deadline));
  }

  /// Sends commands together, and returns what is answered to each. Throws if one is refused.
  [[nodiscard]] std::vector<RedisReply> exchange(const std::vector<RedisCommand>& commands,
                                                 TimePoint deadline) {
    std::string bytes;
    for (const RedisCommand& command : commands) bytes += formatted(command);
    send(bytes, deadline);
    std::vector<RedisReply> replies;
    while (replies.size() < commands.size()) {
      replies.push_back(receive(deadline));
      replies.back().throw_if_error();
    }
    return replies;
  }

 private:
  static redisContext* connected(const RedisChannelOptions& options, TimePoint deadline) {
    using std::chrono::microseconds;
    const auto left = std::chrono::ceil<microseconds>(deadline - Clock::now());
    const auto us = std::max<microseconds::rep>(left.count(), 1);
    const timeval timeout{.tv_sec = static_cast<time_t>(us / 1'000'000),
                          .tv_usec = static_cast<suseconds_t>(us % 1'000'000)};
    return options.socket.empty()
               ? redisConnectWithTimeout(options.host.c_str(), options.port, timeout)
               : redisConnectUnixWithTimeout(options.socket.c_str(), timeout);
  }

  static std::string formatted(const RedisCommand& command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const std::string& word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
    }
    char* text = nullptr;
    const int size =
        redisFormatCommandArgv(&text, static_cast<int>(words.size()), words.data(), sizes.data());
    if (size < 0) throw std::bad_alloc();
    const std::unique_ptr<char, void (*)(char*)> owner(text, redisFreeCommand);
    return {text, static_cast<std::size_t>(size)};
  }

  void send(const std::string& bytes, TimePoint deadline) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      wait_until_ready(POLLOUT, deadline);
      const ssize_t n = ::send(context_->fd, bytes.data() + sent, bytes.size() - sent,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
      throw_if_failed(n);
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
  }

  RedisReply receive(TimePoint deadline) {
    std::array<char, 4096> buffer{};
    for (;;) {
      void* reply = nullptr;
      if (redisReaderGetReply(context_->reader, &reply) != REDIS_OK) refuse_redis_reply();
      if (reply != nullptr) return RedisReply(reply);
      wait_until_ready(POLLIN, deadline);
      const ssize_t n = recv(context_->fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      throw_if_failed(n);
      if (n == 0) throw std::runtime_error("the server has closed the connection");
      if (n > 0) redisReaderFeed(context_->reader, buffer.data(), static_cast<std::size_t>(n));
    }
  }

  void wait_until_ready(short event, TimePoint deadline) {
    for (pollfd socket{.fd = context_->fd, .events = event, .revents = 0};;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      if (left.count() <= 0) throw std::runtime_error("the server does not answer in time");
      const int ready = poll(&socket, 1, static_cast<int>(left.count()));
      throw_if_failed(ready);
      if (ready > 0) return;
    }
  }

  /// Of a call that gave less than 0, unless it may be made again.
  static void throw_if_failed(ssize_t result) {
    if (result >= 0 || errno == EINTR || errno == EAGAIN) return;
    throw std::system_error(errno, std::generic_category());
  }

  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace xofn::detail
