// SPDX-License-Identifier: MIT
// Not API: what the crew of a batch works on.
#pragma once

#include <chrono>
#include <xofn/batch/stop_reason.hpp>

namespace xofn::detail {

/// What a crew works on. It lives at least until `finish` or, where held, `release` is called.
class CrewWork {
 public:
  /// Runs items on the calling thread until none is to be had or it has worked for `budget`; false
  /// if there are as many workers as there may be. A thread that waits for the batch also tells
  /// what waiting threads tell.
  virtual bool work(bool waits, std::chrono::nanoseconds budget) = 0;

  /// Whether there is something to do for one more worker.
  [[nodiscard]] virtual bool has_work() const noexcept = 0;

  /// Whether there is a place for one more worker.
  [[nodiscard]] virtual bool has_place() const noexcept = 0;

  /// Whether nothing is left to do, now or later.
  [[nodiscard]] virtual bool is_over() const noexcept = 0;

  /// From now on no item starts, until `resume_rest`.
  virtual void pause_rest() = 0;
  virtual void resume_rest() = 0;

  /// Settles what has not started as cancelled. Between `hold` and `release`.
  virtual void cancel_rest(StopReason reason) = 0;

  /// Everything has settled and no worker is inside, or will ever be.
  virtual void finish() = 0;

  /// Puts off the end of the batch until `release`, which touches the batch last.
  virtual void hold() noexcept = 0;
  virtual void release() = 0;

  /// Wakes the threads that wait for the batch.
  virtual void ring() = 0;

 protected:
  ~CrewWork() = default;
};

}  // namespace xofn::detail
