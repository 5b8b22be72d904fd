// SPDX-License-Identifier: MIT
// Not API: what a handler may be, and what a batch of it results in.
#pragma once

#include <concepts>
#include <functional>
#include <ranges>
#include <type_traits>
#include <xofn/batch/task_context.hpp>
#include <xofn/batch/task_source.hpp>

namespace xofn::detail {

/// The handler of tasks that are callable themselves.
struct CallTask {
  template <class Job>
  requires(std::invocable<Job&>) decltype(auto) operator()(Job& job) const { return job(); }
  template <class Job>
  requires(!std::invocable<Job&> && std::invocable<Job&, TaskContext&>) decltype(auto) operator()(
      Job& job, TaskContext& context) const {
    return job(context);
  }
};

/// A handler that wants a context, since it is not callable without.
template <class Handler, class Reference>
inline constexpr bool takes_context = !std::is_invocable_v<Handler&, Reference> &&
                                      std::is_invocable_v<Handler&, Reference, TaskContext&>;

/// Calls `handler` with a task, and with its context if it wants one.
template <class Handler, class Reference>
decltype(auto) call_handler(Handler& handler, Reference task,
                            [[maybe_unused]] TaskContext& context) {
  if constexpr (takes_context<Handler, Reference>) {
    return std::invoke(handler, task, context);
  } else {
    return std::invoke(handler, task);
  }
}

template <class Handler, class Reference>
struct Returned : std::invoke_result<Handler&, Reference> {};

template <class Handler, class Reference>
requires(takes_context<Handler, Reference>) struct Returned<Handler, Reference>
    : std::invoke_result<Handler&, Reference, TaskContext&> {
};

/// What a handler makes of tasks passed as `Reference`; refuses what cannot be called.
template <class Reference, class Handler>
struct HandlerResult {
  static_assert(std::is_invocable_v<Handler&, Reference> || takes_context<Handler, Reference>,
                "xofn: the handler is callable neither with a task nor with a task and a "
                "TaskContext& (where there is no handler: the task is not callable)");

  using returned = typename Returned<Handler, Reference>::type;
  static_assert(!std::is_reference_v<returned>,
                "xofn: the handler returns a reference; return a value, or a pointer");
  using type = std::remove_cv_t<returned>;
};

/// What a batch of `Range` run by `Handler` results in; refuses what cannot be run.
template <class Task, class Range, class Handler>
struct BatchResult {
  static_assert(std::ranges::input_range<Range>, "xofn: the tasks are not a range");

  using Reference = task_reference_t<Range, Task>;
  static_assert(
      TaskSource<Range, Task>::in_place ||
          std::constructible_from<Task, std::ranges::range_reference_t<Range>>,
      "xofn: the range's elements are no tasks of this processor, and none can be made of "
      "them");

  using type = typename HandlerResult<Reference, Handler>::type;
};

}  // namespace xofn::detail
