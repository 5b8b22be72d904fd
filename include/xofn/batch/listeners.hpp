// SPDX-License-Identifier: MIT
// Not API: who is told of a processor's batches.
#pragma once

#include <memory>
#include <xofn/batch/completion_callback.hpp>
#include <xofn/batch/event_callback.hpp>
#include <xofn/batch/failed_attempt.hpp>
#include <xofn/batch/occupancy.hpp>
#include <xofn/batch/start.hpp>
#include <xofn/batch/weigher.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What a processor shares with its batches.
template <class Task, class Sync = StdSync>
struct Listeners {
  Subscriptions progress;
  EventCallbacks<Start<Task>> start;
  EventCallbacks<FailedAttempt<Task>> failed_attempt;
  CompletionCallbacks<Task> completion;
  std::unique_ptr<Weigher<Task>> weigher;  // or null
  std::unique_ptr<Weigher<Task>> memory;   // or null
  Occupancy<Sync> occupancy;
};

}  // namespace xofn::detail
