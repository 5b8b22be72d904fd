// SPDX-License-Identifier: MIT
// Not API: whether a processor has a batch.
#pragma once

#include <stdexcept>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// One batch at a time, and a way to wait until its threads have no more to do.
template <class Sync = StdSync>
class Occupancy {
 public:
  /// Throws std::logic_error if there is a batch.
  void check_free() const {
    const typename Sync::lock guard(mutex_);
    check();
  }

  /// The same, and from now on there is one.
  void occupy() {
    const typename Sync::lock guard(mutex_);
    check();
    occupied_ = true;
    at_work_ = true;
  }

  /// The batch's threads will call nothing more.
  void work_is_over() {
    const typename Sync::lock guard(mutex_);
    at_work_ = lingers_;
    ready_.notify_all();
  }

  /// Until it is vacated, something may be called.
  void linger() {
    const typename Sync::lock guard(mutex_);
    at_work_ = lingers_ = occupied_;
  }

  void vacate() {
    const typename Sync::lock guard(mutex_);
    occupied_ = false;
    at_work_ = lingers_ = false;
    ready_.notify_all();
  }

  void wait_until_work_is_over() {
    typename Sync::lock guard(mutex_);
    while (at_work_) ready_.wait(guard);
  }

 private:
  void check() const {
    if (occupied_) throw std::logic_error("xofn: BatchProcessor: a batch of it is running");
  }

  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable ready_;
  bool occupied_ = false;
  bool at_work_ = false;
  bool lingers_ = false;
};

}  // namespace xofn::detail
