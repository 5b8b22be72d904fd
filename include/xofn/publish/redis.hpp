// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/publisher.hpp>
#include <xofn/publish/redis_channel_options.hpp>
#include <xofn/publish/redis_link.hpp>
#include <xofn/sync.hpp>
#include <xofn/timeout.hpp>

namespace xofn {

/// A progress callback that publishes X/N in Redis: each state as JSON on a Pub/Sub channel, and
/// the newest in a hash that expires.
///
/// It requires Redis 4 or newer, a single server, and one batch at a time of one object and its
/// copies. Copies share one connection and one thread, which is theirs alone. Absurd options throw
/// std::invalid_argument, and a thread that is not to be had std::system_error; calls throw
/// nothing. Nothing is encrypted: for a server elsewhere use a tunnel. Link `xofn::redis`.
///
/// The batch never waits for the server: a call leaves the state to the thread. That sends one in a
/// single round trip, then the newest that there is; those between are left out. While the server
/// is down or does not answer, it is tried again and again, with pauses, as long as a copy lives;
/// the newest state is sent when it is back. The destructor of the last copy waits until the last
/// state has arrived, for `linger` at the most (or, where that is longer, until an attempt under
/// way has failed, which takes no more than `timeout`).
///
/// Channel and hash are both called `prefix + name`, and are changed together, so that they agree.
/// The message has the members of `progress_json()` and `batch` and `sequence`, and the hash has
/// the same as fields, as HGETALL shows them. Later states have a greater `sequence`, and later
/// batches of the name a greater `batch`. A state never replaces a later one of its batch, nor one
/// of a batch that began later: of two batches with one name that run at once only the later is
/// published, and `error()` of the other says so. Who comes late subscribes, then reads the hash,
/// and then passes over messages whose (batch, sequence) is not greater than that of the hash.
///
///     const RedisChannel channel{{.host = "127.0.0.1", .port = 6379, .name = "clips"}};
///     processor.on_progress(channel, Delivery::latest());
///     processor.run(videos, render);
///     if (!channel.flush(2s)) std::cerr << channel.error() << '\n';
///
///     SUBSCRIBE xofn:clips
///     {"name":"clips","completed":3,"total":10, ... ,"batch":1764300000000000,"sequence":4}
template <class Sync = StdSync>
class BasicRedisChannel {
 public:
  explicit BasicRedisChannel(RedisChannelOptions options) {
    detail::check(options);
    const detail::PublishingTimes times{.timeout = options.timeout,
                                        .backoff = options.backoff,
                                        .longest_backoff = std::chrono::seconds{2},
                                        .linger = options.linger,
                                        .renewal = options.expiry / 3};
    publisher_ = std::make_shared<Publisher>(times, detail::RedisLink<Sync>{std::move(options)});
  }

  /// Leaves the state to be sent. Does nothing on an object that was moved from.
  void operator()(const Progress& progress) const noexcept {
    if (publisher_) publisher_->put(progress);
  }

  /// Waits until what is the newest state now, or a later one, has arrived. False if it has not in
  /// this time, or will not, as another batch has taken its place: `error()` says why.
  template <class Rep, class Period>
  [[nodiscard]] bool flush(std::chrono::duration<Rep, Period> at_most) const {
    return !publisher_ || publisher_->flush(detail::bounded(at_most));
  }

  /// What the newest attempt to send failed with; empty if it did not. Any thread may ask.
  [[nodiscard]] std::string error() const {
    return publisher_ ? publisher_->error() : std::string{};
  }

  /// How many attempts have failed since the beginning.
  [[nodiscard]] std::uint64_t failed_attempts() const {
    return publisher_ ? publisher_->failed_attempts() : 0;
  }

 private:
  using Publisher = detail::Publisher<detail::RedisLink<Sync>, Sync>;
  std::shared_ptr<Publisher> publisher_;
};

using RedisChannel = BasicRedisChannel<>;

}  // namespace xofn
