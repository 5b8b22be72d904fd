// SPDX-License-Identifier: MIT
// Not API: which item of a batch with limits may start, and what it then holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch/admitted.hpp>
#include <xofn/batch/applicant.hpp>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/holdings.hpp>
#include <xofn/batch/ledger.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/requests.hpp>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/delivery/activity.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What only a batch with limits has. Its workers claim one item at a time, and ask for what it
/// needs. If that is not to be had, the item waits, with nothing, and until it has started no other
/// is claimed: what follows it does not keep it waiting.
///
/// Locks: this one's before those of the limits, and none while anyone is called.
template <class Sync = StdSync>
class Admission {
 public:
  /// What a batch with these options holds that is begun here: what it runs under, if anything.
  static std::shared_ptr<Held> held_by(const BasicBatchOptions<Sync>& options) {
    auto outer = Inside<Sync>::held();
    if (!has_limits(options)) return outer;
    return std::make_shared<Holdings<Sync>>(as_holdings(std::move(outer)));
  }

  /// Null if the options name no limits.
  static std::unique_ptr<Admission> make(const BasicBatchOptions<Sync>& options,
                                         Ledger<Sync>& ledger, std::shared_ptr<Crew<Sync>> crew,
                                         bool has_own_threads, std::uint64_t expected) {
    if (!has_limits(options)) return nullptr;
    return std::make_unique<Admission>(options, ledger, std::move(crew), has_own_threads, expected);
  }

  /// `expected` items are expected.
  Admission(const BasicBatchOptions<Sync>& options, Ledger<Sync>& ledger,
            std::shared_ptr<Crew<Sync>> crew, bool has_own_threads, std::uint64_t expected)
      : ledger_(ledger),
        applicant_(crew, has_own_threads ? Urgency::sure : Urgency::none),
        outer_(as_holdings(crew->held())),
        requests_({options.slots == nullptr ? nullptr : &options.slots->limit_,
                   options.memory == nullptr ? nullptr : &options.memory->limit_},
                  applicant_, outer_),
        needs_memory_(options.memory != nullptr),
        needs_(expected),
        admitted_(ledger.workers().size()) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Makes room for what `count` items need, if there is a memory budget.
  void grow(std::uint64_t count) { needs_.grow(count); }

  /// Item `i`, the next, needs so much memory. Before it is available.
  void add(std::uint64_t i, std::uint64_t need) noexcept { std::construct_at(needs_.at(i), need); }

  /// Has `admitted(worker)` be the next item, claimed and with what it needs. False if there is
  /// none, or it waits.
  bool admit(Worker<Sync>& worker) {
    bool has_waited = false;
    {
      const typename Sync::lock guard(mutex_);
      if (ledger_.claims().paused() || ledger_.claims().stopped()) return false;
      has_waited = has_item();
      if (!has_waited && !claim(worker)) return false;
      if (!try_item(admitted(worker))) return false;
    }
    if (has_waited) call_others();
    return true;
  }

  [[nodiscard]] Admitted<Sync>& admitted(const Worker<Sync>& worker) noexcept {
    return admitted_[static_cast<std::size_t>(&worker - ledger_.workers().data())];
  }

  /// Calls the batches that may go on since this one has given something back, or has left a queue.
  void call_others() { requests_.call_others(); }

  /// Whether an item has been claimed that waits.
  [[nodiscard]] bool has_item() const noexcept { return applicant_.item() != Item::none; }

  /// Whether it is not worth while to ask for that again now.
  [[nodiscard]] bool waits() const noexcept { return applicant_.item() == Item::waits; }

  /// The batch is paused: it keeps no others waiting, and afterwards asks anew.
  void withdraw() {
    if (leave(Item::called)) call_others();
  }

  /// Takes away the item that waits, if there is one. After the claims have stopped.
  std::optional<std::uint64_t> take_waiting() {
    const std::optional<std::uint64_t> item = leave(Item::none);
    if (item) call_others();
    return item;
  }

  /// While it lives, the batch is so urgent at least.
  class Urgent {
   public:
    /// Does nothing where `admission` is null.
    Urgent(Admission* admission, Urgency urgency) noexcept
        : admission_(admission), urgency_(urgency) {
      if (admission_ != nullptr) admission_->applicant_.add(urgency_);
    }
    Urgent(const Urgent&) = delete;
    Urgent& operator=(const Urgent&) = delete;
    ~Urgent() {
      if (admission_ != nullptr) admission_->relax(urgency_);
    }

   private:
    Admission* const admission_;
    const Urgency urgency_;
  };

 private:
  using Item = typename Applicant<Sync>::Item;

  /// The item waits no more, if there is one, which is returned.
  std::optional<std::uint64_t> leave(Item next) {
    const typename Sync::lock guard(mutex_);
    if (!has_item()) return std::nullopt;
    requests_.leave(next);
    return item_;
  }

  static bool has_limits(const BasicBatchOptions<Sync>& options) noexcept {
    return options.slots != nullptr || options.memory != nullptr;
  }

  static std::shared_ptr<Holdings<Sync>> as_holdings(std::shared_ptr<Held> held) noexcept {
    return std::static_pointer_cast<Holdings<Sync>>(std::move(held));
  }

  bool claim(Worker<Sync>& worker) noexcept {
    worker.run_length = 1;
    if (!ledger_.claims().refill(worker)) return false;
    const auto item = ledger_.claims().next(worker);
    if (!item) return false;  // a pause has taken it back
    item_ = *item;
    requests_.ask(needs_memory_ ? *needs_.at(item_) : 0);
    return true;
  }

  /// Whether the item can start, or fails; else it waits.
  bool try_item(Admitted<Sync>& admitted) {
    try {
      auto holdings = std::make_shared<Holdings<Sync>>(outer_);
      if (!requests_.take(*holdings)) return false;
      admitted = {item_, std::move(holdings), nullptr};
    } catch (...) {
      requests_.leave(Item::none);
      admitted = {item_, nullptr, std::current_exception()};
    }
    return true;
  }

  /// The batch is no longer so urgent.
  void relax(Urgency urgency) {
    applicant_.remove(urgency);
    if (!has_item()) return;
    requests_.reconsider();
    call_others();
  }

  Ledger<Sync>& ledger_;
  Applicant<Sync> applicant_;
  const std::shared_ptr<Holdings<Sync>> outer_;
  Requests<Sync> requests_;
  const bool needs_memory_;
  StableStore<std::uint64_t> needs_;
  std::vector<Admitted<Sync>> admitted_;  // by place
  typename Sync::mutex mutex_;
  std::uint64_t item_ = 0;  // the one that waits
};

}  // namespace xofn::detail
