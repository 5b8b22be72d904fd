// SPDX-License-Identifier: MIT
// Not API: the threads that work on a batch: how they come, go, and how the last one out is found.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/crew_work.hpp>
#include <xofn/batch/door.hpp>
#include <xofn/batch/stop_reason.hpp>
#include <xofn/batch/ticket.hpp>
#include <xofn/batch/tickets.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Shared by the batch and its tickets, which may come when the batch is long gone: a thread
/// touches the work only between `enter` and `leave`. The last one to leave when nothing is left to
/// do shuts the door and finishes the batch.
template <class Sync = StdSync>
class CrewThreads : public Activity<Sync> {
 public:
  /// `held` is what user code of the batch holds, or null.
  CrewThreads(CrewWork& work, const Workforce<Sync>& workforce, std::shared_ptr<Held> held)
      : Activity<Sync>(Inside<Sync>::current(), std::move(held)),
        work_(work),
        tickets_(workforce) {}

  /// Whether the calling thread is one of the executor's; false once the batch needs it no more,
  /// and it may be gone.
  [[nodiscard]] bool is_on_executor() {
    if (!door_.enter()) return false;
    const bool is_here = tickets_.executor().running_in_this_thread();
    leave();
    return is_here;
  }

  /// Sends for one more worker unless enough are on their way or here. From inside, or by the owner
  /// before the end. Passes on what the executor throws.
  void send_for_one() {
    if (tickets_.take()) tickets_.send(self());
  }

  /// There is work for one more: wakes a waiting thread that would help, or sends for a worker.
  ///
  /// Store/load pair with use_ticket() and idle(): who finds work announces it and then looks for
  /// idle helpers and free tickets; who finds none gives back the ticket, or says that it is idle,
  /// and then looks for work once more. All are seq_cst.
  void call_for_help() noexcept {
    if (idle_helpers_.load() != 0) work_.ring();
    try {
      send_for_one();
    } catch (...) {
      return;  // the ticket has signed off: the batch goes on with the workers it has, or has ended
    }
  }

  /// Whether no worker is here or on its way.
  [[nodiscard]] bool deserted() const noexcept { return !tickets_.any(); }

  /// The batch begins, whether a worker has come or not: from now on whoever finds out that none
  /// will come ends it. By its owner, once it has sent for the first.
  void begin() {
    has_begun_.store(true);
    if (deserted() && door_.enter()) leave_to_others();  // who found out before has left it
  }

  /// Shuts out everybody from a batch that no worker has come to, or is on the way to. False if
  /// one is or has; then the batch is to begin. By its owner.
  [[nodiscard]] bool abandon() {
    const auto is_untouched = [this] { return deserted() && !has_begun_.load(); };
    while (is_untouched()) {
      if (door_.try_shut(is_untouched)) return true;
      Sync::yield();  // somebody else is inside, and may send for one
    }
    return false;
  }

  /// Works on the calling thread, which waits for the batch, until there is nothing to do or it has
  /// worked for `budget`, if there is a place for it. Where it does not wait for the end, it tells
  /// nothing.
  void help(std::chrono::nanoseconds budget, bool waits = true) {
    if (!door_.enter()) return;
    const bool worked = work_.work(waits, budget);
    if (worked && work_.has_work()) call_others();  // this thread may not come back
    leave();
  }

  /// Finishes the batch if that is all that is left to do.
  void finish_if_idle() {
    if (door_.enter()) leave();
  }

  /// Says for the time of `sleep()` that the calling thread would help. It does not sleep if there
  /// is work and a place to do it.
  template <class Sleep>
  void idle(Sleep&& sleep) {
    idle_helpers_.fetch_add(1);
    if (!wants_one_more()) sleep();
    idle_helpers_.fetch_sub(1);
  }

  /// Says that a thread stays with the batch to its end, as one of the workers or to work if no
  /// other does. Before any ticket is out.
  void stay(bool works) noexcept {
    waiters_work_.store(true);
    if (works) tickets_.keep_one();
  }

  /// While it lives, a thread that waits for the batch works on it whenever there is work: the
  /// batch is not deserted.
  ///
  /// Store/load pair with drop_ticket(): who goes says so and then looks for tickets; who drops the
  /// last ticket gives it back and then looks who stays. All are seq_cst.
  class Staying {
   public:
    /// Does nothing where `crew` is null.
    explicit Staying(CrewThreads* crew) noexcept : crew_(crew) {
      if (crew_ != nullptr) crew_->staying_.fetch_add(1);
    }
    Staying(const Staying&) = delete;
    Staying& operator=(const Staying&) = delete;
    ~Staying() {
      if (crew_ != nullptr) crew_->stop_staying();
    }

   private:
    CrewThreads* const crew_;
  };

  /// Whether it is for those who wait to work on the batch, since nobody else does.
  [[nodiscard]] bool is_left_to_waiters() const noexcept {
    return waiters_work_.load() && deserted();
  }

  /// From a ticket that is used.
  void use_ticket() {
    if (!door_.enter()) return;
    if (!has_begun_.load()) has_begun_.store(true);
    if (Inside<Sync>::runs_under(*this)) {
      turn_away();
    } else {
      while (work_with_ticket()) {
      }
    }
    leave();
  }

  /// From a ticket that will not be used. If nobody else will come, the batch ends here, unless it
  /// has yet to begin: its owner may be told that there is no thread for it.
  void drop_ticket() {
    const bool deserts = tickets_.give_back() && !waiters_work_.load() && staying_.load() == 0;
    if (!door_.enter()) return;
    work_.hold();
    if (deserts) work_.cancel_rest(StopReason::deserted);
    leave_if([this] { return has_begun_.load() && deserted() && work_.is_over(); });
    work_.ring();
    work_.release();
  }

 protected:
  CrewWork& work() noexcept { return work_; }
  Door<Sync>& door() noexcept { return door_; }

  /// Leaves. If the batch is over and nobody else is left inside, one is called for, who finishes
  /// it: whoever made it over meanwhile may have seen this thread inside, and left that to others.
  void leave_to_others() noexcept {
    if (door_.leave() && work_.is_over()) call_for_help();
  }

 private:
  void stop_staying() {
    staying_.fetch_sub(1);
    if (!deserted() || !door_.enter()) return;
    if (work_.has_work()) call_others();
    leave();
  }

  /// Calls for the help of others, if there are any.
  void call_others() noexcept {
    const Inside<Sync> inside(*this, UserCode::task);
    call_for_help();
  }

  /// Works until there is nothing to do, or others wait for the executor's thread and get it; then
  /// gives the ticket back. Returns whether it has another.
  bool work_with_ticket() {
    bool has_made_way = false;
    do {
      work_.work(false, slice);
    } while (wants_one_more() && !(has_made_way = tickets_.make_way(self())));
    const bool was_last = tickets_.give_back();
    if (!wants_one_more()) return false;
    if (!has_made_way || was_last) return tickets_.take();
    call_for_help();  // the ticket that waited behind the others may have come and gone
    return false;
  }

  /// From a ticket that an executor uses on a thread that is inside the batch already. That thread
  /// may be at work, or tell; and the executor may have no others.
  void turn_away() {
    waiters_work_.store(true);
    if (tickets_.give_back()) work_.ring();
  }

  std::shared_ptr<CrewThreads> self() {
    return std::static_pointer_cast<CrewThreads>(this->shared_from_this());
  }

  /// Whether there is work, and a place to do it: without a place it is for those who have one, who
  /// call for help when they leave.
  [[nodiscard]] bool wants_one_more() const noexcept {
    return work_.has_work() && work_.has_place();
  }

  /// Leaves, and finishes the batch if nobody is left inside and nothing is left to do.
  void leave() {
    leave_if([this] { return work_.is_over(); });
  }

  template <class IsOver>
  void leave_if(IsOver is_over) {
    if (!door_.leave_or_shut(is_over)) return;
    if (tickets_.any()) tickets_.executor().withdraw(this);
    work_.finish();
  }

  /// How long a ticket works before it looks whether others wait for its thread; an item is not
  /// cut.
  static constexpr std::chrono::milliseconds slice{5};

  CrewWork& work_;
  Tickets<Sync> tickets_;
  Door<Sync> door_;
  typename Sync::template atomic<std::uint32_t> idle_helpers_{0};
  typename Sync::template atomic<std::uint32_t> staying_{0};
  typename Sync::template atomic<bool> waiters_work_{false};
  typename Sync::template atomic<bool> has_begun_{false};  // or a worker has come
};

}  // namespace xofn::detail
