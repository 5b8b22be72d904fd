// SPDX-License-Identifier: MIT
// Not API: lines on their way to where they are written.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_options.hpp>
#include <xofn/publish/log_sink.hpp>
#include <xofn/publish/log_writer.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Takes lines at any pace, and writes them in their order on a thread of its own. A line for which
/// there is no room, or that cannot be written, is lost; in its place, or as soon as that can be
/// written, a line says how many were.
///
/// Nobody who brings a line waits for more than the move of others. close() writes what there is,
/// for `linger` at the most, or until the writing that it finds under way is over.
template <class Sync = StdSync>
class LogQueue {
 public:
  /// Throws std::system_error if there is no thread to be had.
  LogQueue(AnyLogSink sink, const LogOptions& options)
      : options_(options), writer_(std::move(sink)) {
    lines_.reserve(most_at_once);  // the thread needs no memory of its own then
    thread_ = typename Sync::thread([this] { write(); });
  }
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;
  ~LogQueue() { close(); }

  [[nodiscard]] const LogOptions& options() const noexcept { return options_; }

  /// The number of another batch.
  [[nodiscard]] std::uint64_t next_run() noexcept { return next_run_.fetch_add(1); }

  /// Does nothing once the queue is closed.
  void put(LogEvent&& event) noexcept {
    const Lock guard(mutex_);
    if (is_closing()) return;
    const bool says_lost = untold_ != 0;  // which takes a line as well
    const std::size_t more = size_of(event) + (says_lost ? size_of({}) : 0);
    if (bytes_ + more > options_.max_queued_bytes) {
      lose_one();
      return;
    }
    try {
      if (says_lost) push(lines_lost<Sync>(untold_));
      untold_ = 0;
      event.time = Sync::wall_clock::now();
      push(std::move(event));
    } catch (const std::bad_alloc&) {
      lose_one();
    }
  }

  /// Waits until what has been put has been written, or is lost. False if the time is over before.
  [[nodiscard]] bool flush(std::chrono::nanoseconds at_most) {
    Lock guard(mutex_);
    const std::uint64_t wanted = put_;
    const TimePoint until = Clock::now() + at_most;
    while (settled_ < wanted || untold_ != 0) {
      if (Clock::now() >= until) return false;
      settling_.wait_until(guard, until);
    }
    return true;
  }

  /// What the first writing that failed did so with; empty if none did.
  [[nodiscard]] std::string error() const {
    const Lock guard(mutex_);
    return error_;
  }

  [[nodiscard]] std::uint64_t lost() const {
    const Lock guard(mutex_);
    return lost_;
  }

  /// Writes no more afterwards, and no longer has the sink. By one thread.
  void close() {
    {
      const Lock guard(mutex_);
      if (is_closing()) return;
      give_up_ = Clock::now() + options_.linger;
      news_.notify_one();
    }
    thread_.join();
    writer_.reset();
  }

 private:
  using Clock = typename Sync::clock;
  using TimePoint = typename Clock::time_point;
  using Lock = typename Sync::lock;

  /// So many lines are written before they are flushed, and whoever waits for them learns it.
  static constexpr std::size_t most_at_once = 32;

  [[nodiscard]] static std::size_t size_of(const LogEvent& event) noexcept {
    return sizeof event + event.batch.capacity() + event.item.capacity() + event.error.capacity();
  }

  [[nodiscard]] bool is_closing() const noexcept { return give_up_ != TimePoint::max(); }
  [[nodiscard]] bool has_lines() const noexcept { return !events_.empty() || untold_ != 0; }

  void lose_one() noexcept {
    if (!has_lines()) news_.notify_one();
    ++untold_;
    ++lost_;
  }

  void push(LogEvent&& event) {
    events_.push_back(std::move(event));
    if (events_.size() == 1) news_.notify_one();
    bytes_ += size_of(events_.back());
    ++put_;
  }

  // The thread's.

  void write() {
    Sync::name_thread("xofn log");
    Sync::bear_broken_pipes();
    Lock guard(mutex_);
    while (wait_for_lines(guard)) {
      const std::size_t bytes = take_lines();
      guard.unlock();
      const std::uint64_t lost = writer_->write(lines_);
      guard.lock();
      lost_ += lost;
      bytes_ -= bytes;
      settled_ += lines_.size();
      if (error_.empty()) error_ = writer_->take_failure();
      settling_.notify_all();
    }
    const std::uint64_t left = what_is_left();
    guard.unlock();  // the sink may take its time
    writer_->give_up(left);
  }

  /// False if there will be none, or the time is over.
  [[nodiscard]] bool wait_for_lines(Lock& guard) {
    while (!has_lines() && !is_closing()) news_.wait(guard);
    return has_lines() && Clock::now() < give_up_;
  }

  /// Puts those that are next into `lines_`; returns how many bytes they are.
  std::size_t take_lines() {
    lines_.clear();
    std::size_t bytes = 0;
    for (; !events_.empty() && lines_.size() != most_at_once; events_.pop_front()) {
      bytes += size_of(events_.front());
      lines_.push_back(std::move(events_.front()));
    }
    if (lines_.empty()) {
      lines_.push_back(lines_lost<Sync>(std::exchange(untold_, 0)));
      ++put_;
    }
    return bytes;
  }

  /// How many lines are lost now that the time is over, or were since the last that was written.
  [[nodiscard]] std::uint64_t what_is_left() const noexcept {
    std::uint64_t left = untold_;
    for (const LogEvent& event : events_) left += std::max<std::uint64_t>(event.lost_lines, 1);
    return left;
  }

  const LogOptions options_;
  std::optional<LogWriter<Sync>> writer_;  ///< used by the thread alone
  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable news_;      ///< for the thread
  typename Sync::condition_variable settling_;  ///< for those who flush
  std::deque<LogEvent> events_;
  std::size_t bytes_ = 0;      ///< of `events_`, and of what is being written
  std::uint64_t untold_ = 0;   ///< lines lost since the last that was put
  std::uint64_t put_ = 0;      ///< lines, and lines about others that were lost
  std::uint64_t settled_ = 0;  ///< of these
  std::uint64_t lost_ = 0;
  std::string error_;
  TimePoint give_up_ = TimePoint::max();  ///< until close() says otherwise
  typename Sync::template atomic<std::uint64_t> next_run_{1};

  std::vector<LogEvent> lines_;   ///< what the thread writes
  typename Sync::thread thread_;  // last: it ends first
};

}  // namespace xofn::detail
