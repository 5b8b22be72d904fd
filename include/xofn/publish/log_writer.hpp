// SPDX-License-Identifier: MIT
// Not API: writes lines, and says which were lost.
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/failure.hpp>
#include <xofn/publish/log_event.hpp>
#include <xofn/publish/log_sink.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The line about `count` others.
template <class Sync = StdSync>
[[nodiscard]] LogEvent lines_lost(std::uint64_t count) {
  LogEvent event;
  event.time = Sync::wall_clock::now();
  event.lost_lines = count;
  return event;
}

/// By one thread. What the sink throws loses the line, or what had been written since the last
/// flush; whatever is lost, the next line that can be written says so.
template <class Sync = StdSync>
class LogWriter {
 public:
  explicit LogWriter(AnyLogSink sink) : sink_(std::move(sink)) {}

  /// Writes lines, and flushes. Returns how many are lost, of those that are not about lost ones.
  std::uint64_t write(const std::vector<LogEvent>& lines) noexcept {
    const std::uint64_t unsaid_before = unsaid_;
    std::uint64_t written = 0;
    std::uint64_t lost = 0;
    for (const LogEvent& line : lines) {
      const bool is_about_lost = line.lost_lines != 0;
      unsaid_ += line.lost_lines;
      if (say_lost() && (is_about_lost || tries([&] { sink_.write(line); }))) {
        written += is_about_lost ? 0 : 1;
      } else if (!is_about_lost) {
        ++unsaid_;
        ++lost;
      }
    }
    if (tries([&] { sink_.flush(); })) return lost;
    unsaid_ = unsaid_before;
    for (const LogEvent& line : lines) unsaid_ += line.lost_lines == 0 ? 1 : line.lost_lines;
    return lost + written;
  }

  /// There will be no more lines, and so many were lost besides those it knows of.
  void give_up(std::uint64_t lost) noexcept {
    unsaid_ += lost;
    if (unsaid_ != 0 && say_lost()) tries([&] { sink_.flush(); });
  }

  /// What the sink threw first since this was called last; empty if it has not.
  [[nodiscard]] std::string take_failure() noexcept { return std::exchange(failure_, {}); }

 private:
  /// False if it is to be said that lines were lost, and cannot be.
  bool say_lost() noexcept {
    if (unsaid_ == 0) return true;
    if (!tries([&] { sink_.write(lines_lost<Sync>(unsaid_)); })) return false;
    unsaid_ = 0;
    return true;
  }

  /// Whether it does not throw.
  template <class F>
  bool tries(F f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      keep(std::current_exception());
      return false;
    }
  }

  void keep(std::exception_ptr error) noexcept {
    if (!failure_.empty()) return;
    try {
      failure_ = Failure{.exception = std::move(error)}.what();
      if (failure_.empty()) failure_ = "an error without a text";
    } catch (const std::bad_alloc&) {
      failure_ = "no memory";  // which needs none
    }
  }

  AnyLogSink sink_;
  std::uint64_t unsaid_ = 0;  ///< lines that were lost, as the log does not say yet
  std::string failure_;
};

}  // namespace xofn::detail
