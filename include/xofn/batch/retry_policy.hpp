// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

namespace xofn {

/// Whether, when and how often an item that failed is tried again.
///
/// An attempt that fails does not count in X: only the last one settles the item. Meanwhile the
/// item is queued, holds no worker, and does not start while the batch is paused. If the batch is
/// cancelled it is cancelled, and its outcome keeps what its last attempt failed with. What throws
/// `TaskCancelled` is not tried again.
///
/// Each attempt runs the same task: a handler that changes its task finds it as the attempt before
/// left it. A task that was made from what the range yields is made once and lives until the item
/// has settled.
///
///     BatchProcessor<Url> processor{{.retry = {.max_attempts = 5, .backoff = 100ms}}};
///     processor.on_completion([](const Completion<Url>& c) { log(c.task, c.attempts); });
///     processor.run(urls, [](const Url& url) { return download(url); });
struct RetryPolicy {
  /// How often an item is begun at most. 0 is refused with std::invalid_argument.
  unsigned max_attempts = 1;

  /// How long the first retry waits. Each further one waits twice as long as the one before, up to
  /// a minute, or to `backoff` if that is longer. Of that a random part between a half and the
  /// whole is waited for, so that items that failed together do not come back together. With 0 the
  /// item is queued again at once. Below 0 is refused with std::invalid_argument.
  std::chrono::nanoseconds backoff{0};

  /// Whether to try again after this exception; if empty, after any. Copied for each batch, and
  /// called by several threads at once, on the item's worker, and never for the last attempt. If it
  /// throws, the item fails with what the task threw; what it threw itself is kept as the
  /// callbacks' exceptions are, unless it is just what it was given: it may rethrow that and catch
  /// what it wants to be tried again.
  std::function<bool(const std::exception_ptr&)> retry_if = {};

  /// Whether items are ever tried again.
  [[nodiscard]] bool retries() const noexcept { return max_attempts > 1; }
};

namespace detail {

/// Throws std::invalid_argument for a policy that makes no sense.
inline void check(const RetryPolicy& policy) {
  if (policy.max_attempts == 0) {
    throw std::invalid_argument("xofn: RetryPolicy: max_attempts is 0");
  }
  if (policy.backoff < policy.backoff.zero()) {
    throw std::invalid_argument("xofn: RetryPolicy: backoff is " +
                                std::to_string(policy.backoff.count()) + " ns, below 0");
  }
}

}  // namespace detail
}  // namespace xofn
