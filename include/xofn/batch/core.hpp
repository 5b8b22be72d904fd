// SPDX-License-Identifier: MIT
// Not API: how a batch begins, is waited for, and ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <version>
#include <xofn/batch/admission.hpp>
#include <xofn/batch/applicant.hpp>
#include <xofn/batch/batch_window.hpp>
#include <xofn/batch/batch_work.hpp>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/waiting.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/sync.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn::detail {

/// The work of a batch as whoever started it knows it.
template <class Sync = StdSync>
class BatchCore : public BatchWork<Sync>, protected Viewed {
 public:
  using BatchWork<Sync>::BatchWork;

  [[nodiscard]] const std::string& name() const noexcept { return this->options().name; }

  // The crew outlives the batch, which may end meanwhile.
  void cancel() { std::shared_ptr(this->shared_crew())->cancel(); }
  void pause() { std::shared_ptr(this->shared_crew())->pause(); }
  void resume() { std::shared_ptr(this->shared_crew())->resume(); }

  /// Nobody has a handle any more: its processor waits until all is told.
  void linger() { this->tenancy().linger(); }

  /// The same, and there is no thread that waits for this one, which is `self`: its processor does.
  void leave_to_processor(std::shared_ptr<BatchCore> self) {
    this->tenancy().leave({std::move(self), [](void* batch) {
                             static_cast<BatchCore*>(batch)->wait();
                             static_cast<BatchCore*>(batch)->close_window();
                           }});
  }

  /// What views look through.
  [[nodiscard]] std::shared_ptr<BatchWindow<Sync>> window() {
    const typename Sync::lock guard(window_mutex_);
    if (window_ == nullptr) {
      window_ = std::make_shared<BatchWindow<Sync>>(static_cast<const Viewed&>(*this),
                                                    this->shared_crew(), name());
    }
    return window_;
  }

  /// The batch has ended, and is about to go.
  void close_window() noexcept {
    const typename Sync::lock guard(window_mutex_);
    if (window_ != nullptr) window_->close();
  }

  void pump() {
    deliveries().poll_caller();
    if (this->ended()) this->tenancy().end();
  }

  /// Runs the batch from beginning to end, with the calling thread.
  void run(const Subscriptions& subscriptions, bool tells_items) {
    const Progress start = this->subscribe(subscriptions, tells_items);
    bool works = !deliveries().caller().any();
    try {
      deliveries().start();
      deliveries().begin();
    } catch (const std::system_error&) {
      deliveries().do_without_helper(subscriptions, start);
      works = true;
    }
    works = works || must_work_while_waiting();  // asked last: a batch of no items ends there
    crew().stay(works);
    adopt_by_task();
    link_to_token();
    if (!works) crew().call_for_help();
    works = works || crew().deserted();
    const auto urgent = this->urgent(works);
    stay_until_told(crew(), deliveries(), works);
  }

  /// Sends for the first worker. Throws what the executor throws; then nothing has run or been
  /// told.
  void start(const Subscriptions& subscriptions, bool tells_items) {
    this->subscribe(subscriptions, tells_items);
    deliveries().start();
    try {
      link_to_token();
      adopt_by_task();
      crew().send_for_one();
    } catch (...) {
      if (crew().abandon()) {
        unlink_from_token();
        deliveries().abandon();
        throw;
      }
    }
    deliveries().begin();
    crew().begin();
  }

  /// Returns once everything is told. A thread that is inside user code, or is one of the
  /// executor's, works on the batch meanwhile.
  void wait() { wait_until(Sync::clock::time_point::max()); }

  /// The same until `deadline`; returns whether everything is told.
  bool wait_until(typename Sync::clock::time_point deadline) {
    if (!this->ended()) {
      check_may_wait();
      const bool works = must_work_while_waiting();
      const auto urgent = this->urgent(works);
      const typename Crew<Sync>::Staying staying(works ? &crew() : nullptr);
      if (!stay_until_told(crew(), deliveries(), works, deadline)) return false;
    }
    this->tenancy().end();
    return true;
  }

 protected:
  using BatchWork<Sync>::crew;
  using BatchWork<Sync>::deliveries;

  /// Throws std::system_error (resource_deadlock_would_occur) rather than have a thread wait for
  /// itself.
  void check_may_wait() { Inside<Sync>::check_may_wait_for(crew()); }

  /// Whether the batch may have to wait for the calling thread, if that does nothing but wait.
  [[nodiscard]] bool must_work_while_waiting() {
    return Inside<Sync>::any() || crew().is_on_executor();
  }

  /// While the answer lives the calling thread waits for the batch, and works on it if it `works`.
  [[nodiscard]] auto urgent(bool works) {
    Urgency urgency = Urgency::none;
    if (this->admission() != nullptr && works) {
      urgency = !must_work_while_waiting()   ? Urgency::sure
                : !Inside<Sync>::holds_any() ? Urgency::thread
                                             : Urgency::holdings;
    }
    return typename Admission<Sync>::Urgent(this->admission(), urgency);
  }

  /// Returns true once `has_come()`, false if everything is told and it has not; pumps, and works
  /// on the batch as wait() does.
  template <class HasCome>
  bool wait_until_it_has_come(HasCome has_come) {
    deliveries().poll_caller();
    if (has_come()) return true;
    if (!this->ended()) check_may_wait();
    const bool works = must_work_while_waiting();
    const auto urgent = this->urgent(works);
    const typename Crew<Sync>::Staying staying(works ? &crew() : nullptr);
    if (stay_until(crew(), deliveries(), works, has_come)) return true;
    this->tenancy().end();
    return false;
  }

 private:
  [[nodiscard]] Progress seen_progress() const noexcept final { return this->progress(); }

  void adopt_by_task() {
    if (Inside<Sync>::a_task()) Inside<Sync>::current()->adopt(this->shared_crew());
  }

  void unlink_from_token() {
#ifdef __cpp_lib_jthread
    stop_link_.reset();
#endif
  }

  void link_to_token() {
#ifdef __cpp_lib_jthread
    if (this->options().stop.stop_possible())
      stop_link_.emplace(this->options().stop, CancelCrew{this->shared_crew()});
#endif
  }

  typename Sync::mutex window_mutex_;
  std::shared_ptr<BatchWindow<Sync>> window_;  // null until somebody looks

#ifdef __cpp_lib_jthread
  struct CancelCrew {
    std::shared_ptr<Crew<Sync>> crew;
    void operator()() const { crew->cancel(); }
  };
  std::optional<std::stop_callback<CancelCrew>> stop_link_;  // last: it ends first
#endif
};

}  // namespace xofn::detail
