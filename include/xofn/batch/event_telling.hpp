// SPDX-License-Identifier: MIT
// Not API: telling what happens to an item where it happens.
#pragma once

#include <xofn/batch/event_callback.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Tells events one at a time, each on the worker of its item while that is the worker's alone:
/// what is told of the task is then what the task is, and it is not being changed. A worker waits
/// for those before it; no lock is held meanwhile.
template <class Sync = StdSync>
class EventTelling {
 public:
  template <class Event>
  void tell(const EventCallbacks<Event>& callbacks, const Event& event, ErrorSink& errors) {
    take_turn();
    for (const auto& callback : callbacks) callback->tell(event, errors);
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
