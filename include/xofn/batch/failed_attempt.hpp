// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>

namespace xofn {

/// An attempt at an item that has failed, as an `on_failed_attempt` callback is told it.
template <class Task>
struct FailedAttempt {
  std::uint64_t index;       ///< the item's place in the order of submission, from 0
  const Task& task;          ///< as the attempt has left it; lives until the callback returns
  std::uint32_t attempt;     ///< which attempt it was, from 1
  std::exception_ptr error;  ///< what it failed with, never null: a TaskTimeout if it was late
  /// How long the item waits before it is queued again, from 0; empty if this was the last attempt.
  std::optional<std::chrono::nanoseconds> retry_after;

  /// Whether the item is to be tried again, which it is unless the batch is cancelled before.
  [[nodiscard]] bool will_retry() const noexcept { return retry_after.has_value(); }
};

}  // namespace xofn
