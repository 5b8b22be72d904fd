// SPDX-License-Identifier: MIT
// Not API: how many threads a batch has sent for.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/executor.hpp>
#include <xofn/batch/ticket.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The tickets that are out: with a thread of the executor, or in its queue. At most as many at
/// once as there may be workers.
template <class Sync = StdSync>
class Tickets {
 public:
  explicit Tickets(const Workforce<Sync>& workforce)
      : executor_(workforce.executor), most_(workforce.max_workers) {}

  [[nodiscard]] const ExecutorRef<Ticket<Sync>>& executor() const noexcept { return executor_; }

  /// One thread fewer is to be sent for. Before any ticket is out.
  void keep_one() noexcept { --most_; }

  /// Whether one is out.
  [[nodiscard]] bool any() const noexcept { return out_.load() != 0; }

  /// Takes one; false if all are out.
  [[nodiscard]] bool take() noexcept {
    std::uint32_t out = out_.load();
    do {
      if (out >= most_) return false;
    } while (!out_.compare_exchange_weak(out, out + 1));
    return true;
  }

  /// Gives one back; returns whether it was the last that was out.
  bool give_back() noexcept { return out_.fetch_sub(1) == 1; }

  /// Gives one that has been taken to the executor, for `crew`. Passes on what that throws; then
  /// the ticket has been dropped.
  void send(std::shared_ptr<CrewThreads<Sync>> crew) {
    executor_.execute(Ticket<Sync>(std::move(crew)));
  }

  /// If others wait for the executor's threads, has another ticket wait behind them, for one in use
  /// that is then to be given back. It is out as well until then: if the executor drops the other
  /// one, the batch is not deserted.
  [[nodiscard]] bool make_way(std::shared_ptr<CrewThreads<Sync>> crew) noexcept {
    if (!executor_.has_waiting()) return false;
    out_.fetch_add(1);  // one too many for a moment: it is the place of one that is in use
    try {
      send(std::move(crew));
    } catch (...) {
      return false;  // dropped
    }
    return true;
  }

 private:
  const ExecutorRef<Ticket<Sync>> executor_;
  unsigned most_;
  typename Sync::template atomic<std::uint32_t> out_{0};
};

}  // namespace xofn::detail
