// SPDX-License-Identifier: MIT
// What the contract says of what callbacks are told, for scenarios.
#pragma once

#include <cstdint>
#include <xofn/delivery/progress.hpp>

#include "scenario.hpp"

namespace schedules {

/// Fails if two threads are inside at once. Others may go while one is.
class Alone {
 public:
  explicit Alone(Data<bool>& inside) : inside_(inside) {
    check(!inside_.read(), "calls of one callback do not overlap");
    inside_.write(true);
    here();
  }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() { inside_.write(false); }

 private:
  Data<bool>& inside_;
};

/// Whether nothing can change any more.
inline bool is_final(const xofn::Progress& p) {
  return p.state == xofn::BatchState::finished || p.state == xofn::BatchState::cancelled;
}

/// A snapshot that may be seen at any time.
inline void check_snapshot(const xofn::Progress& p) {
  check(p.succeeded + p.failed + p.cancelled + p.running <= p.total,
        "what has settled or runs is not more than the total");
  check(p.state != xofn::BatchState::finished || p.completed() == p.total,
        "finished only if all are completed");
  check((p.state == xofn::BatchState::cancelled) == (p.cancelled != 0),
        "cancelled if and only if an item was");
}

/// Checks a callback that is told every step.
class EveryStep {
 public:
  /// `may_end_late`: an open batch may be closed when all has been told, by one call more.
  explicit EveryStep(bool may_end_late = false) : may_end_late_(may_end_late) {}

  void operator()(const xofn::Progress& p) {
    const Alone alone(inside_);
    check(!ended_.read(), "nothing is told after the final state");
    check_snapshot(p);
    const bool final = is_final(p);
    const bool is_step = p.completed() == told_.read() + 1;
    const bool is_end = final && p.completed() == told_.read();
    check(is_step || is_end, "every step is told once and in order");
    if (is_end) {
      check(p.cancelled != 0 || p.total == 0 || may_end_late_, "one call more only short of N/N");
    }
    told_.write(p.completed());
    ended_.write(final);
    here();
  }

  /// Whether the final state has been told. Once nothing is running any more, as check_ended().
  [[nodiscard]] bool has_ended() const { return ended_.read(); }

  void check_ended(std::uint64_t completed) const {
    check(ended_.read(), "the final state has been told");
    check(told_.read() == completed, "every step has been told");
  }

 private:
  const bool may_end_late_;
  Data<bool> inside_{false};
  Data<std::uint64_t> told_{0};
  Data<bool> ended_{false};
};

/// Checks a callback that is told the latest state.
class LatestState {
 public:
  void operator()(const xofn::Progress& p) {
    const Alone alone(inside_);
    check(!ended_.read(), "nothing is told after the final state");
    check_snapshot(p);
    check(calls_.read() == 0 || p.completed() >= told_.read(), "X never falls");
    calls_.add(1);
    told_.write(p.completed());
    ended_.write(is_final(p));
  }

  void check_ended(std::uint64_t completed) const {
    check(ended_.read(), "the final state has been told");
    check(told_.read() == completed, "with the final X");
  }

 private:
  Data<bool> inside_{false};
  Data<int> calls_{0};
  Data<std::uint64_t> told_{0};
  Data<bool> ended_{false};
};

}  // namespace schedules
