// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>
#include <xofn/batch/executor.hpp>

namespace xofn {

/// An executor without threads: it runs each function at once, on the thread that gives it.
///
/// `BatchProcessor::start` then runs the batch before it returns. What there is to do later, such
/// as retries after a backoff, is done by the threads that wait for the batch, and in the calls
/// that have more to be done, `resume` and `add`, unless they come from its callbacks. May be used
/// by several threads at once.
///
///     InlineExecutor here;
///     BatchProcessor<Video> processor{here, {.max_workers = 1}};
///     Batch<Clip> batch = processor.start(std::move(videos), render);  // they are rendered
struct InlineExecutor {
  template <class F>
  void execute(F&& f) const {
    std::decay_t<F> function(std::forward<F>(f));
    function();
  }

  /// Whatever thread asks, it is where the functions run.
  [[nodiscard]] static bool running_in_this_thread() noexcept { return true; }
};

static_assert(Executor<const InlineExecutor>);

}  // namespace xofn
