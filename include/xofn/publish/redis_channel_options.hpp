// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace xofn {

/// Where a RedisChannel publishes, and how long it tries. What is out of range is refused with
/// std::invalid_argument.
struct RedisChannelOptions {
  std::string host = "127.0.0.1";  ///< a name or an address
  int port = 6379;                 ///< 1 to 65535

  /// What the batch is called, not empty. The channel and the hash are both `prefix + name`.
  std::string name = {};
  std::string prefix = "xofn:";

  std::string socket = {};  ///< the path of a Unix socket, instead of host and port
  int database = 0;         ///< where the hash is, at least 0; a channel is the same in all

  /// Who publishes; empty: the default user, who may or may not need a password. Others need the
  /// key and the channel, and the commands select, time, hget, eval, hmget, del, hset, pexpire and
  /// publish.
  std::string user = {};
  std::string password = {};

  /// After this time without a new state the hash is gone: 1 s to 10 years. While the batch runs it
  /// is renewed in time, also when nothing changes; so it outlives a process that died by this time
  /// at the most.
  std::chrono::nanoseconds expiry = std::chrono::hours{1};

  /// How long connecting and sending may take before they have failed: 1 ms to 1 h. Looking up the
  /// name of a host is the system's, and may take longer.
  std::chrono::nanoseconds timeout = std::chrono::seconds{1};

  /// How long it waits after a first failure: 1 ms to 1 h. After each further one it waits twice as
  /// long, up to 2 s, or to `backoff` if that is longer.
  std::chrono::nanoseconds backoff = std::chrono::milliseconds{50};

  /// How long the last copy's destructor goes on trying to send the last state: 0 to 1 h.
  std::chrono::nanoseconds linger = std::chrono::seconds{3};
};

namespace detail {

/// Throws std::invalid_argument for options that make no sense.
inline void check(const RedisChannelOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("xofn: RedisChannelOptions: " + what);
  };
  const auto check_between = [&](const char* name, std::chrono::nanoseconds time,
                                 std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    if (time >= least && time <= most) return;
    refuse(std::string(name) + " is " + std::to_string(time.count()) + " ns, not between " +
           std::to_string(least.count()) + " ns and " + std::to_string(most.count()) + " ns");
  };
  if (options.name.empty()) refuse("name is empty");
  if (options.host.empty() && options.socket.empty()) refuse("host is empty");
  if (options.port < 1 || options.port > 65535) {
    refuse("port is " + std::to_string(options.port) + ", not between 1 and 65535");
  }
  if (options.database < 0) refuse("database is " + std::to_string(options.database) + ", below 0");
  if (!options.user.empty() && options.password.empty()) {
    refuse("user is " + options.user + ", without a password");
  }
  using std::chrono::hours;
  using std::chrono::milliseconds;
  check_between("expiry", options.expiry, std::chrono::seconds{1}, hours{24 * 3650});
  check_between("timeout", options.timeout, milliseconds{1}, hours{1});
  check_between("backoff", options.backoff, milliseconds{1}, hours{1});
  check_between("linger", options.linger, milliseconds{0}, hours{1});
}

}  // namespace detail
}  // namespace xofn
