// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <version>
#include <xofn/batch/error_policy.hpp>
#include <xofn/batch/memory_budget.hpp>
#include <xofn/batch/order.hpp>
#include <xofn/batch/resource_slots.hpp>
#include <xofn/batch/retry_policy.hpp>
#include <xofn/sync.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn {

/// How a batch is run.
template <class Sync = StdSync>
struct BasicBatchOptions {
  /// How many items run at once at most; 0 stands for what the hardware runs at once. Above 65,536
  /// is refused with std::invalid_argument.
  unsigned max_workers = 0;

  /// In which order completed items are told one by one.
  Order order = Order::completion;

  /// What failed items stop.
  ErrorPolicy on_error = ErrorPolicy::collect_all();

  /// Which items that failed are tried again.
  RetryPolicy retry = RetryPolicy();  // of `{}` g++ 12 says that it may be used uninitialised

  /// How long an attempt at an item may take; 0 stands for any time. After that its
  /// `TaskContext::stop_requested()` is true and its stop token fires, on a thread of the batch's
  /// own that no callback holds up. If it ends later, however it ends, the item fails with
  /// `TaskTimeout`. Below 0 is refused with std::invalid_argument.
  std::chrono::nanoseconds task_timeout{0};

  /// How many items of an open batch may wait to start before `add` blocks; 0: no limit.
  std::size_t max_queued = 0;

  /// An item runs only while it holds one of these slots; null: without. They outlive the batch.
  BasicResourceSlots<Sync>* slots = nullptr;

  /// An item runs only while its memory, by `BatchProcessor::memory_by`, is taken off this budget;
  /// null: without. It outlives the batch.
  BasicMemoryBudget<Sync>* memory = nullptr;

#ifdef __cpp_lib_jthread
  /// Cancels the batch when a stop is requested.
  std::stop_token stop = {};
#endif

  /// What displays and logs call the batch.
  std::string name = {};
};

using BatchOptions = BasicBatchOptions<>;

namespace detail {

inline constexpr unsigned most_workers = 1U << 16;

/// A number of threads as the user gave it, made definite. Throws std::invalid_argument.
template <class Sync = StdSync>
[[nodiscard]] unsigned definite_threads(unsigned threads, const char* name) {
  if (threads > most_workers) {
    throw std::invalid_argument(std::string("xofn: ") + name + " is " + std::to_string(threads) +
                                ", above " + std::to_string(most_workers));
  }
  return threads == 0 ? Sync::hardware_threads() : threads;
}

/// Options as the user gave them, made definite. Throws std::invalid_argument.
template <class Sync = StdSync>
[[nodiscard]] BasicBatchOptions<Sync> definite(BasicBatchOptions<Sync> options) {
  options.max_workers = definite_threads<Sync>(options.max_workers, "max_workers");
  check(options.retry);
  if (options.task_timeout < options.task_timeout.zero()) {
    throw std::invalid_argument("xofn: task_timeout is " +
                                std::to_string(options.task_timeout.count()) + " ns, below 0");
  }
  return options;
}

}  // namespace detail
}  // namespace xofn
