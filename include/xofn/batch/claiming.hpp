// SPDX-License-Identifier: MIT
// Not API: which worker runs which items.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/returned_items.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/cache_line.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Hands out items 0, 1, ... each to one worker, without a queue.
///
/// A shared cursor gives runs of items. A worker keeps its run in its own word, the first item
/// above the count, and takes the items from there one by one, so that whoever is idle can take the
/// later half of what has not started. After `stop`, whoever finds items anywhere takes them away;
/// `pause` takes away what workers hold, to be claimed again after `resume`.
template <class Sync = StdSync>
class Claims {
 public:
  using Workers = std::vector<Worker<Sync>>;

  static constexpr std::uint64_t most_items = (std::uint64_t{1} << 48) - 1;

  /// For the workers at `places`; `available` items are there from the start.
  Claims(Workers& places, std::uint64_t available) noexcept
      : workers_(places), available_(available) {}

  [[nodiscard]] std::uint64_t available() const noexcept {
    // acquire: the items made available; pairs with the release in extend()
    return available_.load(std::memory_order_acquire);
  }

  /// Makes items below `available` available.
  void extend(std::uint64_t available) noexcept { available_.store(available); }

  /// Gives the worker, which has none left, a run of items from the cursor, or else half of what
  /// another has. False if there are none, or it has stopped.
  ///
  /// Store/load pair with wait_for_refills(): a worker says that it refills and then looks whether
  /// that is allowed; who forbids it, forbids it and then looks who refills. All are seq_cst, so
  /// that no worker gets items that nobody has waited for.
  bool refill(Worker<Sync>& worker) noexcept {
    worker.refilling.store(true);
    const bool refilled =
        gate_.load() == Gate::open && (take_returned(worker) || take(worker) || steal(worker));
    worker.refilling.store(false);
    return refilled;
  }

  /// The worker's next item, which it must now start.
  std::optional<std::uint64_t> next(Worker<Sync>& worker) noexcept {
    // relaxed, all three: the items came with the refill, and taking one tells others nothing; that
    // it is taken once follows from the order of all changes to this one word
    std::uint64_t run = worker.run.load(std::memory_order_relaxed);
    while (count(run) != 0) {
      if (worker.run.compare_exchange_weak(run, run + first_item - 1, std::memory_order_relaxed,
                                           std::memory_order_relaxed)) {
        return first(run);
      }
    }
    return std::nullopt;
  }

  /// Whether an item that has not started is to be had.
  [[nodiscard]] bool any_left() const noexcept {
    return !stopped() && (cursor_.load() < available_.load() || returned_.any() || stealable());
  }

  /// Whether others could take items that this worker holds, or find some at the cursor.
  [[nodiscard]] bool more_than_one(const Worker<Sync>& worker) const noexcept {
    return count(worker.run.load()) > 1 || cursor_.load() < available_.load() || returned_.any();
  }

  [[nodiscard]] bool stopped() const noexcept { return gate_.load() == Gate::shut; }
  [[nodiscard]] bool paused() const noexcept { return gate_.load() == Gate::paused; }

  /// From now on no worker gets items; those that it has are its own until they are drained.
  void stop() noexcept { gate_.store(Gate::shut); }

  /// From now until `resume` no item starts but the one that each worker is about to start. Does
  /// nothing after stop().
  void pause() {
    Gate open = Gate::open;
    gate_.compare_exchange_strong(open, Gate::paused);
    if (!paused()) return;
    wait_for_refills();
    returned_.put(workers_.size(), [this](auto put) { this->take_back(put); });
  }

  /// Does nothing unless paused.
  void resume() noexcept {
    Gate paused = Gate::paused;
    gate_.compare_exchange_strong(paused, Gate::open);
  }

  /// Has items claimed again that `collect(put)` calls `put(run)` with, at most `most` times.
  /// Throws std::bad_alloc only before. After stop() they must be drained.
  template <class Collect>
  void put_back(std::size_t most, Collect&& collect) {
    returned_.put(most, std::forward<Collect>(collect));
  }

  /// After stop(): takes away all items that have not started, `take(run)` for each run of them.
  /// Each is taken away once, whoever drains.
  template <class Take>
  void drain(Take&& take) {
    std::uint64_t cursor = cursor_.load();
    std::uint64_t available = available_.load();
    while (cursor < available) {
      if (cursor_.compare_exchange_weak(cursor, available)) {
        take(ItemRun{cursor, available - cursor});
        cursor = available;
      }
      available = available_.load();
    }
    wait_for_refills();
    take_back(take);
    for (const ItemRun run : returned_.take_all()) take(run);
  }

 private:
  static constexpr std::uint64_t first_item = ItemRun{1, 0}.word();

  static std::uint64_t first(std::uint64_t run) noexcept { return ItemRun::of(run).first; }
  static std::uint64_t count(std::uint64_t run) noexcept { return ItemRun::of(run).count; }

  enum class Gate : std::uint8_t { open, paused, shut };

  /// Waits for the workers that are refilling, which takes them no longer than a few exchanges.
  /// Without the lock of the returned items, which they may be waiting for.
  void wait_for_refills() const noexcept {
    for (const Worker<Sync>& worker : workers_) {
      while (worker.refilling.load() && gate_.load() != Gate::open) Sync::yield();
    }
  }

  /// Takes away what workers hold.
  template <class Take>
  void take_back(Take&& take) {
    for (Worker<Sync>& worker : workers_) {
      const std::uint64_t run = worker.run.exchange(0);
      if (count(run) != 0) take(ItemRun::of(run));
    }
  }

  bool take_returned(Worker<Sync>& worker) noexcept {
    if (!returned_.any()) return false;
    const auto run = returned_.take(worker.run_length);
    if (run) worker.run.store(run->word());
    return run.has_value();
  }

  bool take(Worker<Sync>& worker) noexcept {
    std::uint64_t cursor = cursor_.load();
    std::uint64_t length = 0;
    do {
      const std::uint64_t available = available_.load();
      if (cursor >= available) return false;
      length = std::min<std::uint64_t>(worker.run_length, available - cursor);
    } while (!cursor_.compare_exchange_weak(cursor, cursor + length));
    worker.run.store(ItemRun{cursor, length}.word());
    return true;
  }

  bool steal(Worker<Sync>& thief) noexcept {
    const auto self = static_cast<std::size_t>(&thief - workers_.data());
    for (std::size_t i = 1; i < workers_.size(); ++i) {
      Worker<Sync>& victim = workers_[(self + i) % workers_.size()];
      std::uint64_t run = victim.run.load();
      while (count(run) != 0) {
        const std::uint64_t taken = (count(run) + 1) / 2;
        if (victim.run.compare_exchange_weak(run, run - taken)) {
          thief.run.store(ItemRun{first(run) + count(run) - taken, taken}.word());
          return true;
        }
      }
    }
    return false;
  }

  [[nodiscard]] bool stealable() const noexcept {
    return std::any_of(workers_.begin(), workers_.end(),
                       [](const Worker<Sync>& w) { return count(w.run.load()) != 0; });
  }

  Workers& workers_;
  alignas(cache_line_size) typename Sync::template atomic<std::uint64_t> cursor_{0};
  alignas(cache_line_size) typename Sync::template atomic<std::uint64_t> available_;
  typename Sync::template atomic<Gate> gate_{Gate::open};
  ReturnedItems<Sync> returned_;
};

}  // namespace xofn::detail
