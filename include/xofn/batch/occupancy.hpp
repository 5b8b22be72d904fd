// SPDX-License-Identifier: MIT
// Not API: whether a processor has a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// One batch at a time, and a way to wait until its threads have no more to do. A batch has a
/// number, and what it says when it is here no more does nothing.
template <class Sync = StdSync>
class Occupancy {
 public:
  /// A batch that has lost its handle, and how to wait for it.
  struct Left {
    std::shared_ptr<void> batch;
    void (*wait)(void*) = nullptr;
  };

  /// Throws std::logic_error if there is a batch.
  void check_free() const {
    const typename Sync::lock guard(mutex_);
    check();
  }

  /// The same, and from now on there is one, whose number this returns.
  std::uint64_t occupy() {
    const typename Sync::lock guard(mutex_);
    check();
    at_work_ = true;
    return occupied_by_ = ++last_;
  }

  /// The batch's threads will call nothing more.
  void work_is_over(std::uint64_t batch) {
    const typename Sync::lock guard(mutex_);
    if (occupied_by_ != batch) return;
    at_work_ = lingers_;
    ready_.notify_all();
  }

  /// Until it is vacated, something may be called.
  void linger(std::uint64_t batch) {
    const typename Sync::lock guard(mutex_);
    if (occupied_by_ == batch) at_work_ = lingers_ = true;
  }

  void vacate(std::uint64_t batch) {
    const typename Sync::lock guard(mutex_);
    if (occupied_by_ != batch) return;
    occupied_by_ = 0;
    at_work_ = lingers_ = false;
    ready_.notify_all();
  }

  /// Nobody else sees this batch to its end: whoever waits here does. One that was left before has
  /// ended since.
  void leave(Left batch) {
    {
      const typename Sync::lock guard(mutex_);
      std::swap(left_, batch);
      ready_.notify_all();
    }
    see_off(batch);
  }

  void wait_until_work_is_over() {
    typename Sync::lock guard(mutex_);
    while (at_work_ || left_.batch != nullptr) {
      if (left_.batch == nullptr) {
        ready_.wait(guard);
      } else {
        Left left = std::exchange(left_, {});
        guard.unlock();
        see_off(left);
        guard.lock();
      }
    }
  }

 private:
  static void see_off(Left& left) {
    if (left.batch == nullptr) return;
    left.wait(left.batch.get());
    left.batch.reset();
  }

  void check() const {
    if (occupied_by_ != 0) throw std::logic_error("xofn: BatchProcessor: a batch of it is running");
  }

  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable ready_;
  std::uint64_t occupied_by_ = 0;  // nobody
  std::uint64_t last_ = 0;
  bool at_work_ = false;
  bool lingers_ = false;
  Left left_;
};

}  // namespace xofn::detail
