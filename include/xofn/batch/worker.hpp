// SPDX-License-Identifier: MIT
// Not API: what a batch keeps for each of its workers.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <xofn/batch/item_run.hpp>
#include <xofn/cache_line.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// One worker's own words, on lines of their own: others read them, and write only to take items
/// away. A place that threads take in turn, one at a time.
template <class Sync = StdSync>
struct alignas(cache_line_size) Worker {
  using Word = typename Sync::template atomic<std::uint64_t>;

  Word run{0};  ///< the items it has claimed and not started: see Claims
  Word started{0};
  Word succeeded{0};
  Word failed{0};
  Word cancelled{0};  ///< items that it started, and that ended as cancelled
  Word retried{0};    ///< items that it started and put back, to be tried again by any worker
  Word kept{0};       ///< short items that have succeeded, to be told by whoever tells next
  Word mean_ns{0};
  Word weight{0};  ///< what its items have completed of their weights
  typename Sync::template atomic<bool> refilling{false};  ///< items may be on their way to `run`
  typename Sync::template atomic<bool> taken{false};

  // The worker's alone, handed on with `taken`.
  std::uint32_t run_length = 1;  ///< how many items to claim next

  /// Counts an item as started.
  void start() noexcept {
    // relaxed, both: its own word, which is seen in order with settle(); a reader who does not know
    // yet that the item was added does not count it
    started.store(started.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  /// Counts the item as settled, by one of the three figures, or as put back.
  void settle(Word Worker::*as) noexcept {
    Word& figure = this->*as;
    // relaxed: its own word
    const std::uint64_t settled = figure.load(std::memory_order_relaxed) + 1;
    // release: what the item did, and that it started; pairs with the acquires in add_to()
    figure.store(settled, std::memory_order_release);
  }

  /// Keeps item `i`, which has succeeded behind those that are kept already.
  void keep(std::uint64_t i) noexcept {
    // relaxed: others only take it, all at once
    std::uint64_t before = kept.load(std::memory_order_relaxed);
    // release: what the items did; pairs with the acquire in take_kept(). relaxed on failure: then
    // what was there is taken, and no other thread writes
    if (before == 0 || !kept.compare_exchange_strong(before, before + 1, std::memory_order_release,
                                                     std::memory_order_relaxed)) {
      // release: as above
      kept.store(ItemRun{i, 1}.word(), std::memory_order_release);
    }
  }

  /// The items that are kept, each once. From any thread.
  [[nodiscard]] ItemRun take_kept() noexcept {
    // relaxed: what is seen now is taken by the exchange, what is not is told when it is flushed
    if (kept.load(std::memory_order_relaxed) == 0) return {0, 0};
    // acquire: what the items did; pairs with the release in keep()
    return ItemRun::of(kept.exchange(0, std::memory_order_acquire));
  }

  /// How long an item took in its last run of items, 0 if it has had none.
  [[nodiscard]] std::chrono::nanoseconds mean() const noexcept {
    // relaxed: a figure to show, which guards nothing
    return std::chrono::nanoseconds{mean_ns.load(std::memory_order_relaxed)};
  }

  [[nodiscard]] std::uint64_t times_retried() const noexcept {
    // acquire: what the attempts did; pairs with the release in settle()
    return retried.load(std::memory_order_acquire);
  }

  /// Adds this worker's figures as they stood together at some moment during the call.
  void add_to(Progress& now) const noexcept {
    // acquire: what the items did; pairs with the release in settle()
    const std::uint64_t f = failed.load(std::memory_order_acquire);
    const std::uint64_t s = succeeded.load(std::memory_order_acquire);
    const std::uint64_t c = cancelled.load(std::memory_order_acquire);
    now.failed += f;
    now.succeeded += s;
    const std::uint64_t r = times_retried();
    now.cancelled += c;
    now.retried += r;
    // Started after the figures above, but then also after that moment: it runs one at a time.
    // relaxed: ordered behind the acquires above, so at least what had started when they settled
    const std::uint64_t all = started.load(std::memory_order_relaxed);
    now.running += std::min<std::uint64_t>(all - f - s - c - r, 1);
  }

  /// Chooses how many items to claim next, after `items` that took `time`: about as many as take
  /// `run_time`.
  void adapt(std::uint64_t items, std::chrono::nanoseconds time,
             std::chrono::nanoseconds run_time) noexcept {
    const auto run_ns = static_cast<std::uint64_t>(run_time.count());
    const auto ns =
        static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(time.count(), 1));
    // relaxed: a figure to show, which guards nothing
    mean_ns.store(ns / items, std::memory_order_relaxed);
    run_length = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        run_ns * items / ns, 1, std::min(std::uint64_t{2} * run_length, longest_run)));
  }

  static constexpr std::uint64_t longest_run = 0xffff;
};

}  // namespace xofn::detail
