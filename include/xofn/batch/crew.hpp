// SPDX-License-Identifier: MIT
// Not API: the threads that work on a batch, and what others do to it meanwhile.
#pragma once

#include <xofn/batch/applicant.hpp>
#include <xofn/batch/crew_threads.hpp>
#include <xofn/batch/stop_reason.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A crew that can be steered from any thread.
template <class Sync = StdSync>
class Crew final : public CrewThreads<Sync>, public Called {
 public:
  using CrewThreads<Sync>::CrewThreads;

  /// Calls for help from outside, from any thread; does nothing after the end. Wakes those who wait
  /// too, since the caller may be the last inside.
  void call() noexcept override {
    steer([this] { this->call_for_help(); });
  }

  /// Cancels what has not started, here and in the batches that tasks of this one run. From any
  /// thread, as pause() and resume(); does nothing after the end. The callbacks are told on the
  /// batch's own threads, or here if there is none to be had.
  void cancel() override { cancel(StopReason::cancelled); }

  void cancel(StopReason reason) {
    steer([this, reason] {
      this->work().cancel_rest(reason);
      this->cancel_children();
    });
  }

  /// Others may have resumed before what workers held has been put back.
  void pause() {
    put_back([this] { this->work().pause_rest(); });
  }

  void resume() {
    steer([this] {
      this->work().resume_rest();
      this->call_for_help();
    });
  }

  /// Does `put()`, which has items claimed again, and calls for who works on them. From any thread.
  template <class Put>
  void put_back(Put put) {
    steer([this, &put] {
      put();
      if (this->work().has_work()) this->call_for_help();
    });
  }

  /// Acts on the work by `act()` and wakes those who wait for the batch. From any thread; does
  /// nothing after the end. What it throws passes.
  template <class Act>
  void steer(Act act) {
    visit(act, true);
  }

  /// The same for what adds to the work, which may take its time and calls for help itself.
  template <class Act>
  void add(Act act) {
    visit(act, false);
  }

 private:
  /// Acts on the work without being one of its workers.
  template <class Act>
  void visit(Act& act, bool rings) {
    if (!this->door().enter()) return;
    struct Visit {
      Visit(Crew& c, bool r) : crew(c), rings(r) { crew.work().hold(); }
      Visit(const Visit&) = delete;
      Visit& operator=(const Visit&) = delete;
      ~Visit() {
        crew.leave_to_others();
        if (rings) crew.work().ring();
        crew.work().release();
      }
      Crew& crew;
      const bool rings;
    };
    const Visit visit(*this, rings);
    act();
  }
};

}  // namespace xofn::detail
