// SPDX-License-Identifier: MIT
// Not API: sends the newest state on a thread of its own.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <xofn/delivery/progress.hpp>
#include <xofn/publish/link.hpp>
#include <xofn/publish/published_state.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

struct PublishingTimes {
  std::chrono::nanoseconds timeout;  ///< of an attempt to send
  std::chrono::nanoseconds backoff;  ///< after the first attempt that failed; then twice that, ...
  std::chrono::nanoseconds longest_backoff;
  std::chrono::nanoseconds linger;   ///< how long the destructor goes on trying
  std::chrono::nanoseconds renewal;  ///< an older state is sent again, unless it is the last
};

/// Takes states at any pace, and sends the newest whenever the one before has arrived. A state that
/// cannot be sent is tried again, or the one that has taken its place, until one arrives.
///
/// Nobody who brings a state waits for more than the copy of another. The destructor waits until
/// the newest has arrived, for `linger` at the most, or for the attempt that it finds under way.
template <class SomeLink, class Sync = StdSync>
requires Link<SomeLink, Sync>
class Publisher {
 public:
  /// Throws std::system_error if there is no thread to be had.
  Publisher(PublishingTimes times, SomeLink link)
      : times_(times),
        link_(std::move(link)),
        next_backoff_(times.backoff),
        thread_([this] { publish(); }) {}
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher() {
    close();
    thread_.join();
  }

  void put(const Progress& progress) {
    const Lock guard(mutex_);
    if (is_settled()) news_.notify_one();  // else the thread is awake or waits to try again
    newest_ = newest_.next(progress);
  }

  /// Waits until what is the newest state now, or a later one, has arrived; false if it was refused
  /// or the time is over.
  [[nodiscard]] bool flush(std::chrono::nanoseconds at_most) {
    Lock guard(mutex_);
    const std::uint64_t wanted = newest_.sequence;
    const TimePoint until = Clock::now() + at_most;
    while (settled_ < wanted && Clock::now() < until) settling_.wait_until(guard, until);
    return arrived_ >= wanted;
  }

  /// What the newest attempt failed with; empty if it did not.
  [[nodiscard]] std::string error() const {
    const Lock guard(mutex_);
    return error_;
  }

  [[nodiscard]] std::uint64_t failed_attempts() const {
    const Lock guard(mutex_);
    return failed_attempts_;
  }

 private:
  using Clock = typename Sync::clock;
  using TimePoint = typename Clock::time_point;
  using Lock = typename Sync::lock;
  using State = PublishedState<Sync>;

  void close() {
    const Lock guard(mutex_);
    give_up_ = Clock::now() + times_.linger;
    next_attempt_ = TimePoint{};
    next_backoff_ = times_.backoff;
    news_.notify_one();
  }

  void publish() {
    Sync::name_thread("xofn publish");
    Lock guard(mutex_);
    while (wait_until_there_is_one_to_send(guard)) {
      const State state = newest_;
      const TimePoint deadline = std::min(Clock::now() + times_.timeout, give_up_);
      guard.unlock();
      Attempt attempt = try_to_send(state, deadline);
      guard.lock();
      note(state.sequence, std::move(attempt));
      settling_.notify_all();
    }
  }

  /// False if there will be none, or the time is over.
  [[nodiscard]] bool wait_until_there_is_one_to_send(Lock& guard) {
    for (;;) {
      const TimePoint now = Clock::now();
      const bool is_closing = give_up_ != TimePoint::max();
      if (now >= give_up_ || (is_closing && is_settled())) return false;
      if (now < next_attempt_) {
        news_.wait_until(guard, std::min(next_attempt_, give_up_));
      } else if (!is_settled()) {
        return true;
      } else if (newest_.is_last()) {
        news_.wait(guard);
      } else if (now < renewal_) {
        news_.wait_until(guard, renewal_);
      } else {
        ++newest_.sequence;
      }
    }
  }

  enum class Outcome : std::uint8_t { arrived, refused, failed };
  struct Attempt {
    Outcome outcome;
    std::string error;
  };

  [[nodiscard]] Attempt try_to_send(const State& state, TimePoint deadline) {
    try {
      link_.send(state, deadline);
      return {Outcome::arrived, {}};
    } catch (const Refused& error) {
      return {Outcome::refused, error.what()};
    } catch (const std::exception& error) {
      return {Outcome::failed, error.what()};
    }
  }

  void note(std::uint64_t sequence, Attempt attempt) {
    const TimePoint now = Clock::now();
    error_ = std::move(attempt.error);
    if (attempt.outcome != Outcome::failed) {
      settled_ = sequence;
      if (attempt.outcome == Outcome::arrived) arrived_ = sequence;
      renewal_ = now + times_.renewal;
      next_attempt_ = TimePoint{};
      next_backoff_ = times_.backoff;
    } else {
      ++failed_attempts_;
      next_attempt_ = now + next_backoff_;
      next_backoff_ = std::min(2 * next_backoff_, std::max(times_.backoff, times_.longest_backoff));
    }
  }

  [[nodiscard]] bool is_settled() const noexcept { return settled_ == newest_.sequence; }

  const PublishingTimes times_;
  SomeLink link_;  ///< used by the thread alone
  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable news_;      ///< for the thread
  typename Sync::condition_variable settling_;  ///< for those who flush
  State newest_;
  std::uint64_t settled_ = 0;  ///< up to this one none is to be sent
  std::uint64_t arrived_ = 0;
  std::uint64_t failed_attempts_ = 0;
  std::string error_;
  std::chrono::nanoseconds next_backoff_;
  TimePoint next_attempt_{};
  TimePoint renewal_{};
  TimePoint give_up_ = TimePoint::max();  ///< until the destructor says otherwise
  typename Sync::thread thread_;
};

}  // namespace xofn::detail
