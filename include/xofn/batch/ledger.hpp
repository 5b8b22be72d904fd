// SPDX-License-Identifier: MIT
// Not API: where each item of a batch is: not started, with a worker, settled.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/weights.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/stopwatch.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The figures of a batch and the items that they count. Each worker writes its own; whoever wants
/// to know adds them up.
template <class Sync = StdSync>
class Ledger {
 public:
  /// `available` items are there from the start; `all` says whether that is all of them.
  Ledger(unsigned max_workers, std::uint64_t available, bool all)
      : workers_(max_workers), claims_(workers_, available), total_is_final_(all) {}
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  [[nodiscard]] Claims<Sync>& claims() noexcept { return claims_; }
  [[nodiscard]] const Claims<Sync>& claims() const noexcept { return claims_; }

  [[nodiscard]] bool total_is_final() const noexcept { return total_is_final_.load(); }
  void make_total_final() noexcept { total_is_final_.store(true); }

  /// Has snapshots carry weights, which must live as long. Before the start.
  void weigh_by(const Weights<Sync>& weights) noexcept { weights_ = &weights; }

  /// The state now.
  ///
  /// Memory ordering: what the items did that are counted as settled is visible to the caller.
  [[nodiscard]] Progress snapshot() const noexcept {
    Progress now;
    now.elapsed = stopwatch_.elapsed();
    // acquire: that the items did not start; pairs with the release in cancel_rest()
    now.cancelled = cancelled_.load(std::memory_order_acquire);
    for (const Worker<Sync>& worker : workers_) worker.add_to(now);
    if (weights_ != nullptr) weights_->add_completed(now, workers_);
    // Final before the total: a total read after it is the final one. Both after the figures, so
    // that the total is no less than what has settled.
    now.total_is_final = total_is_final();
    now.total = claims_.available();
    // Of one that was put back during the call, two workers' figures may tell.
    now.running = std::min(now.running, now.remaining());
    if (weights_ != nullptr) weights_->add_total(now);
    now.state = state_of(now, claims_.paused());
    if (is_final(now)) complete(now);
    return now;
  }

  /// Settles as cancelled what has not started: `keep(run)` is told each run of items before
  /// they are counted.
  template <class Keep>
  void cancel_rest(Keep keep) {
    claims_.drain([&](ItemRun run) { cancel(run, keep); });
  }

  /// The same for items that were taken out of the claims.
  template <class Keep>
  void cancel(ItemRun run, Keep& keep) {
    keep(run);
    // release: that the items did not start; pairs with the acquire in snapshot()
    cancelled_.fetch_add(run.count, std::memory_order_release);
  }

  [[nodiscard]] std::vector<Worker<Sync>>& workers() noexcept { return workers_; }

  /// A place for the calling thread, or null if all are taken.
  [[nodiscard]] Worker<Sync>* take_place() noexcept {
    for (Worker<Sync>& worker : workers_) {
      // acquire: the place's own words; pairs with the release in give_back()
      if (!worker.taken.exchange(true, std::memory_order_acquire)) return &worker;
    }
    return nullptr;
  }

  /// Store/load pair with has_place(): who leaves a place gives it back and then looks whom to call
  /// to what work is left; who would come says so and then looks for a place. All are seq_cst.
  static void give_back(Worker<Sync>& worker) noexcept { worker.taken.store(false); }

  [[nodiscard]] bool has_place() const noexcept {
    return std::any_of(workers_.begin(), workers_.end(),
                       [](const Worker<Sync>& worker) { return !worker.taken.load(); });
  }

 private:
  /// Another worker than the one that settled an item may have put it back, and been read before.
  void complete(Progress& last) const noexcept {
    last.elapsed = stopwatch_.stop();
    last.retried = 0;
    for (const Worker<Sync>& worker : workers_) last.retried += worker.times_retried();
  }

  const Stopwatch<Sync> stopwatch_;
  std::vector<Worker<Sync>> workers_;
  Claims<Sync> claims_;
  const Weights<Sync>* weights_ = nullptr;
  typename Sync::template atomic<std::uint64_t> cancelled_{0};
  typename Sync::template atomic<bool> total_is_final_;
};

}  // namespace xofn::detail
