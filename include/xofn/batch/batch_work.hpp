// SPDX-License-Identifier: MIT
// Not API: what the crew of a batch works on, as far as it does not depend on what the tasks are.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/admission.hpp>
#include <xofn/batch/batch_items.hpp>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/executor.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/ledger.hpp>
#include <xofn/batch/occupancy.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/stop_reason.hpp>
#include <xofn/batch/stop_signal.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/batch/tenancy.hpp>
#include <xofn/batch/timekeeper.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/deliveries.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Claims, runs, settles and tells: the items are in a `Ledger`, the threads are a `Crew`, telling
/// is `Deliveries`; what to run and what to keep of it are the `BatchItems` of the derived class.
template <class Sync = StdSync>
class BatchWork : protected CrewWork, protected ProgressSource, protected BatchItems<Sync> {
 public:
  /// `available` items are there from the start; `all` says whether that is all of them. Throws
  /// std::logic_error if the processor has a batch.
  BatchWork(const Workforce<Sync>& workforce, BasicBatchOptions<Sync> options,
            std::uint64_t available, bool all, std::shared_ptr<Occupancy<Sync>> occupancy)
      : options_(std::move(options)),
        tenancy_(std::move(occupancy)),
        ledger_(workforce.max_workers, available, all),
        crew_(std::make_shared<Crew<Sync>>(static_cast<CrewWork&>(*this), workforce,
                                           Admission<Sync>::held_by(options_))),
        admission_(
            Admission<Sync>::make(options_, ledger_, crew_, workforce.has_own_threads, available)),
        time_(options_, ledger_, *crew_, deliveries_),
        deliveries_(*this, *crew_) {}
  BatchWork(const BatchWork&) = delete;
  BatchWork& operator=(const BatchWork&) = delete;
  virtual ~BatchWork() = default;

  [[nodiscard]] Progress progress() const noexcept { return snapshot(); }
  [[nodiscard]] CallbackError callback_error() const { return deliveries_.callback_error(); }
  [[nodiscard]] bool ended() const { return deliveries_.ended(); }
  [[nodiscard]] const Activity<Sync>& activity() const noexcept { return *crew_; }

  /// Why items were not run, or not even read, once the batch has ended.
  [[nodiscard]] StopReason stop_reason(bool read_all) const noexcept {
    return read_all && progress().cancelled == 0 ? StopReason::none : stop_reason_.load();
  }

 protected:
  // ProgressSource
  [[nodiscard]] Progress snapshot() const noexcept final { return ledger_.snapshot(); }

  /// Settles as cancelled what has not started.
  void take_rest() {
    const auto keep = [this](ItemRun items) { this->keep_cancelled(items); };
    // First, since from there they move to the claims.
    time_.take_waiting([&](ItemRun items) { ledger_.cancel(items, keep); });
    ledger_.cancel_rest(keep);
    if (admission_ == nullptr) return;
    if (const auto item = admission_->take_waiting()) ledger_.cancel({*item, 1}, keep);
  }

  Ledger<Sync>& ledger() noexcept { return ledger_; }
  [[nodiscard]] const Ledger<Sync>& ledger() const noexcept { return ledger_; }
  Crew<Sync>& crew() noexcept { return *crew_; }
  /// Null unless the batch has limits.
  [[nodiscard]] Admission<Sync>* admission() const noexcept { return admission_.get(); }
  Timekeeper<Sync>& time() noexcept { return time_; }
  Deliveries<Sync>& deliveries() noexcept { return deliveries_; }
  [[nodiscard]] const StopSignal& stop_signal() const noexcept { return stop_signal_; }

  /// An item has settled: stops the batch if its error policy says so.
  void check_errors(bool has_failed) {
    if (!options_.on_error.watches(has_failed) || ledger_.claims().stopped()) return;
    // acq_rel: of two items that settle at once, the second here sees both
    checks_.fetch_add(1, std::memory_order_acq_rel);
    Progress now = snapshot();
    if (!options_.on_error.stops(now)) return;
    // This may show failures without what had succeeded before them, which a later look shows.
    now.succeeded = snapshot().succeeded;
    if (options_.on_error.stops(now)) crew_->cancel(StopReason::errors);
  }

  /// Whether the worker's item fails without having been run.
  [[nodiscard]] bool is_refused(const Worker<Sync>& worker) const noexcept {
    return admission_ != nullptr && admission_->admitted(worker).refusal != nullptr;
  }

  /// Whether a callback is told every step, or every item.
  [[nodiscard]] bool tells() const noexcept { return tells_; }

  [[nodiscard]] const BasicBatchOptions<Sync>& options() const noexcept { return options_; }
  Tenancy<Sync>& tenancy() noexcept { return tenancy_; }
  [[nodiscard]] const std::shared_ptr<Crew<Sync>>& shared_crew() const noexcept { return crew_; }

  /// Takes the callbacks; returns the state at the start.
  Progress subscribe(const Subscriptions& subscriptions, bool tells_items) {
    const Progress start = snapshot();
    deliveries_.subscribe(subscriptions, start);
    if (time_.has_timers()) deliveries_.serve(time_);
    tells_ = tells_items || deliveries_.tells_every() || deliveries_.caller().tells_every();
    return start;
  }

 private:
  // CrewWork
  bool work(bool waits, std::chrono::nanoseconds budget) final {
    Worker<Sync>* worker = ledger_.take_place();
    if (worker == nullptr) return false;
    deliveries_.begin();  // an executor may run it before start() has returned from there
    bool has_run = false;
    {
      const Inside<Sync> inside(*crew_, UserCode::task);
      if (waits) deliveries_.poll_caller();
      do {
        while (budget.count() > 0 && refill(*worker)) {
          if (has_more_than(*worker)) crew_->call_for_help();
          const auto worked = this->run_claimed(*worker);
          has_run = true;
          budget -= worked;
          this->read_more(worked);  // for as long as it has worked
          if (waits) deliveries_.poll_caller();
        }
      } while (budget.count() > 0 && !ledger_.claims().paused() && !item_waits() &&
               this->read_more(first_read));
    }
    ledger_.give_back(*worker);
    if (has_run && ledger_.claims().paused()) deliveries_.wake();  // those who saw nothing running
    return true;
  }

  /// Gives the worker items. A batch with limits has one at a time, of those that it has room for.
  bool refill(Worker<Sync>& worker) {
    return admission_ == nullptr ? ledger_.claims().refill(worker) : admission_->admit(worker);
  }

  /// Whether there may be something to do besides the items that this worker has been given.
  [[nodiscard]] bool has_more_than(const Worker<Sync>& worker) const noexcept {
    return admission_ == nullptr ? ledger_.claims().more_than_one(worker) : has_work();
  }

  /// Whether nothing can start before something else has ended.
  [[nodiscard]] bool item_waits() const noexcept {
    return admission_ != nullptr && admission_->waits();
  }

  void cancel_rest(StopReason reason) final {
    StopReason none = StopReason::none;
    stop_reason_.compare_exchange_strong(none, reason);
    ledger_.claims().stop();
    this->close_range();
    take_rest();
    deliveries_.announce();
    const Inside<Sync> inside(*crew_, UserCode::callback);  // of stop tokens
    stop_signal_.signal();
    time_.signal();
  }

  void pause_rest() final {
    ledger_.claims().pause();
    if (admission_ != nullptr) admission_->withdraw();
    if (ledger_.claims().stopped()) take_rest();  // who has stopped it may not be there yet
  }
  void resume_rest() final {
    ledger_.claims().resume();
    deliveries_.wake();
  }

  [[nodiscard]] bool has_work() const noexcept final {
    const auto& claims = ledger_.claims();
    if (claims.paused()) return false;
    if (admission_ != nullptr && admission_->has_item()) {
      return !admission_->waits() && !claims.stopped();  // then it is for who has stopped it
    }
    return claims.any_left() || this->could_read();
  }

  [[nodiscard]] bool has_place() const noexcept final { return ledger_.has_place(); }

  [[nodiscard]] bool is_over() const noexcept final {
    if (admission_ != nullptr && admission_->has_item()) return false;
    return !time_.any_waiting() && !ledger_.claims().any_left() && ledger_.total_is_final();
  }

  void finish() final {
    this->flush();
    this->keep_results();
    deliveries_.end();
  }

  void hold() noexcept final { deliveries_.hold(); }
  void release() final { deliveries_.release(); }
  void ring() final { deliveries_.bell().ring(); }

  void all_told() noexcept final {
    tenancy_.work_is_over();
    if (deliveries_.caller().ended()) tenancy_.end();
  }

  static constexpr std::chrono::microseconds first_read{100};

  const BasicBatchOptions<Sync> options_;
  Tenancy<Sync> tenancy_;
  Ledger<Sync> ledger_;
  bool tells_ = false;
  BatchStopSignal<Sync> stop_signal_{ledger_.claims()};
  const std::shared_ptr<Crew<Sync>> crew_;
  const std::unique_ptr<Admission<Sync>> admission_;
  Timekeeper<Sync> time_;
  Deliveries<Sync> deliveries_;
  typename Sync::template atomic<StopReason> stop_reason_{StopReason::none};
  typename Sync::template atomic<std::uint64_t> checks_{0};
};

}  // namespace xofn::detail
