// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// One completed item, as an `on_completion` callback is told it.
template <class Task>
struct Completion {
  /// The state as far as it has been told one by one: this item is the X-th, in whatever order.
  /// With Order::submission, items that have completed before their turn are running here.
  Progress progress;
  std::uint64_t index;       ///< the item's place in the order of submission, from 0
  const Task& task;          ///< lives until the callback returns
  std::exception_ptr error;  ///< what it failed with, or null
  std::uint32_t attempts;    ///< how often it was begun
  /// How long the last attempt took; of items well below 1 us a mean of its worker's.
  std::chrono::nanoseconds duration;

  [[nodiscard]] bool succeeded() const noexcept { return error == nullptr; }
};

}  // namespace xofn
