// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>

namespace xofn {

/// What an item failed with that ended later than `BatchOptions::task_timeout` allows, however it
/// ended: a result that comes late is discarded.
///
///     BatchProcessor<Url> processor{{.task_timeout = 5s}};
///     processor.run(urls, [](const Url& url, TaskContext& context) {
///       return download(url, context.stop_token());  // which fires after 5 s
///     });
class TaskTimeout : public std::exception {
 public:
  TaskTimeout(std::chrono::nanoseconds duration, std::exception_ptr cause) noexcept
      : duration_(duration) {
    cause_ = std::move(cause);
    const std::chrono::duration<double> seconds = duration;
    std::snprintf(text_.data(), text_.size(), "xofn: the task ended too late, after %.3g s",
                  seconds.count());
  }

  /// How long the attempt took.
  [[nodiscard]] std::chrono::nanoseconds duration() const noexcept { return duration_; }

  /// What the task itself threw; null if it returned.
  [[nodiscard]] const std::exception_ptr& cause() const noexcept { return cause_; }

  [[nodiscard]] const char* what() const noexcept override { return text_.data(); }

 private:
  std::chrono::nanoseconds duration_;
  std::exception_ptr cause_;
  std::array<char, 64> text_{};
};

}  // namespace xofn
