// SPDX-License-Identifier: MIT
// Not API: how many of a total have settled, counted by any threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/snapshot.hpp>
#include <xofn/delivery/stopwatch.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Figures that never pass the total. The total may grow until it is reached, which ends it for
/// good.
///
/// An item settles in two steps, so that none beyond the total is ever seen: it is allotted, and
/// then counted. Whoever allots the last one ends the total by an exchange that fails if it has
/// grown.
template <class Sync = StdSync>
class Tally {
 public:
  using Word = typename Sync::template atomic<std::uint64_t>;

  explicit Tally(std::uint64_t total) : total_(checked(total, "the total is") << 1) {}
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  /// Throws std::logic_error once the total has ended, std::invalid_argument if it would pass 2^63.
  void grow(std::uint64_t n) {
    std::uint64_t total = total_.load();
    do {
      if ((total & ended) != 0) {
        throw std::logic_error("xofn: ProgressTracker::add_total: the tracker has ended");
      }
      checked(n > most ? n : n + (total >> 1), "the total would be");
    } while (!total_.compare_exchange_weak(total, total + (n << 1)));
  }

  void succeed(std::uint64_t n) { settle(n, succeeded_, "succeed"); }
  void fail(std::uint64_t n) { settle(n, failed_, "fail"); }

  /// Ends the total; returns how many items it has cancelled.
  std::uint64_t cancel_rest() noexcept {
    std::uint64_t cancelled = 0;
    std::uint64_t allotted = allotted_.load();
    std::uint64_t total = total_.load();
    while ((total & ended) == 0) {
      if (allotted_.compare_exchange_weak(allotted, total >> 1)) {
        cancelled += (total >> 1) - allotted;
        allotted = total >> 1;
        if (total_.compare_exchange_strong(total, total | ended)) break;
      } else {
        total = total_.load();
      }
    }
    count(cancelled, cancelled_);
    return cancelled;
  }

  /// Ends a total of nothing; false if it is not, or has ended.
  bool end_if_empty() noexcept {
    std::uint64_t empty = 0;
    return total_.load() == 0 && total_.compare_exchange_strong(empty, ended);
  }

  /// Whether the total has ended: all of it is allotted, and soon counted.
  [[nodiscard]] bool has_ended() const noexcept { return (total_.load() & ended) != 0; }

  /// The state now. Memory ordering: what the items did that are counted is visible to the caller.
  [[nodiscard]] Progress snapshot() const noexcept {
    Progress now;
    now.elapsed = stopwatch_.elapsed();
    now.succeeded = counted(succeeded_);
    now.failed = counted(failed_);
    now.cancelled = counted(cancelled_);
    const std::uint64_t total = total_.load();  // after them: it was no less when they settled
    now.total = total >> 1;
    now.total_is_final = (total & ended) != 0;
    now.state = state_of(now);
    if (is_final(now)) now.elapsed = stopwatch_.stop();
    return now;
  }

 private:
  static constexpr std::uint64_t ended = 1;
  static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max() >> 1;

  static std::uint64_t checked(std::uint64_t total, const char* what) {
    if (total <= most) return total;
    throw std::invalid_argument(std::string("xofn: ProgressTracker: ") + what +
                                " above 2^63 - 1: " + std::to_string(total));
  }

  void settle(std::uint64_t n, Word& figure, const char* call) {
    std::uint64_t allotted = allotted_.load();
    std::uint64_t total = 0;
    do {
      total = total_.load();
      const std::uint64_t left = (total >> 1) - allotted;
      if (n > left) {
        throw std::out_of_range(std::string("xofn: ProgressTracker::") + call + "(" +
                                std::to_string(n) + "): " + std::to_string(left) + " of " +
                                std::to_string(total >> 1) + " items are left");
      }
    } while (!allotted_.compare_exchange_weak(allotted, allotted + n));
    if (allotted + n == total >> 1) total_.compare_exchange_strong(total, total | ended);
    count(n, figure);
  }

  static void count(std::uint64_t n, Word& figure) noexcept {
    // release: what the items did; pairs with the acquire in counted()
    figure.fetch_add(n, std::memory_order_release);
  }

  [[nodiscard]] static std::uint64_t counted(const Word& figure) noexcept {
    // acquire: what the items did; pairs with the release in count()
    return figure.load(std::memory_order_acquire);
  }

  const Stopwatch<Sync> stopwatch_;
  Word total_;  // twice the total, and whether it has ended
  Word allotted_{0};
  Word succeeded_{0};
  Word failed_{0};
  Word cancelled_{0};
};

}  // namespace xofn::detail
