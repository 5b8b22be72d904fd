// SPDX-License-Identifier: MIT
// Not API: telling which item begins.
#pragma once

#include <xofn/batch/event_callback.hpp>
#include <xofn/batch/start.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Tells starts one at a time, each on its own worker and before the item runs: what is told of the
/// task is then what the task is, and it is not being changed. A worker waits for those before it;
/// no lock is held meanwhile.
template <class Sync = StdSync>
class StartTelling {
 public:
  template <class Task>
  void tell(const EventCallbacks<Start<Task>>& callbacks, const Start<Task>& start,
            ErrorSink& errors) {
    take_turn();
    for (const auto& callback : callbacks) callback->tell(start, errors);
    pass_turn();
  }

 private:
  void take_turn() {
    typename Sync::lock guard(mutex_);
    while (taken_) ready_.wait(guard);
    taken_ = true;
  }

  void pass_turn() {
    const typename Sync::lock guard(mutex_);
    taken_ = false;
    ready_.notify_one();
  }

  typename Sync::mutex mutex_;
  typename Sync::condition_variable ready_;
  bool taken_ = false;
};

}  // namespace xofn::detail
