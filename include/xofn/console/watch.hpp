// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <xofn/batch_processor.hpp>
#include <xofn/console/bar_facts.hpp>
#include <xofn/console/running_items.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// Shows the batches of a processor in a bar, with the longest running item in the line.
///
/// `bar` is a ProgressBar or a bar of ProgressBars, or else callable with a `const Progress&` and a
/// name. `name(const Task&)` makes a std::string of an item; it is called for each attempt at one,
/// when it begins, one call at a time, and costs each item that call and a lock. Of the items that
/// run the one is named that began first. An item that is to be tried again counts as running until
/// it is, and one that waits for its turn (Order::submission) until it has been told.
///
/// It registers three callbacks, and so throws std::logic_error while a batch runs. Without another
/// delivery the line is also drawn when nothing has changed for a second, so that the clock moves.
/// What `name` throws is kept as any callback's error, and the item has no name.
///
///     watch(processor, ProgressBar{std::cerr, "rendering"}, [](const Video& v) { return v.name;
///     });
///
///     rendering [##########..........] 4/10 40% 79.7/s 00:01<00:01 1 failed (long.mp4)
template <class Task, class Sync, class Bar, class Name>
BatchProcessor<Task, Sync>& watch(
    BatchProcessor<Task, Sync>& processor, Bar bar, Name name,
    Delivery delivery = Delivery::latest().at_least_every(std::chrono::seconds{1})) {
  static_assert(std::is_invocable_r_v<std::string, Name&, const Task&>,
                "xofn: watch: the function makes no std::string of a const Task&");
  static_assert(std::invocable<Bar&, const Progress&, const std::string&>,
                "xofn: watch: the bar is not callable with a const Progress& and a name");
  const auto items = std::make_shared<detail::RunningItems<Sync>>();
  processor.on_start([items, name = std::move(name)](const Start<Task>& start) mutable {
    items->begin(start.index, name(start.task));
  });
  processor.on_completion(
      [items](const Completion<Task>& completion) { items->end(completion.index); });
  return processor.on_progress(
      [items, bar = std::move(bar)](const Progress& progress) mutable {
        // also what was cancelled between two attempts
        if (detail::has_ended(progress)) items->clear();
        bar(progress, items->longest());
      },
      delivery);
}

}  // namespace xofn
