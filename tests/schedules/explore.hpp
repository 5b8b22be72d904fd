// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "scheduler.hpp"
#include "strategy.hpp"

namespace schedules {

using Program = std::function<void()>;

/// What was wrong with a schedule, and how to see it again.
struct Failure {
  std::string what;
  std::string replay;  ///< for replay(); "weak;" in front of the choices stands for weak memory
};

struct Explored {
  std::uint64_t schedules = 0;
  /// All schedules with at most that many preemptions have been run; -1: not even those with none.
  int bound = -1;
  bool all = false;       ///< at least the bound that was asked for
  bool complete = false;  ///< more preemptions would make no other schedule
  std::optional<Failure> failure;
};

/// All schedules with at most `bound` preemptions, those with fewer first, and then those with
/// more; about `most` in all.
Explored explore_exhaustively(const Program& program, unsigned bound, std::uint64_t most,
                              Scheduler::Settings settings = {});

/// Those that a strategy chooses.
Explored explore(const Program& program, Strategy& strategy, Scheduler::Settings settings = {});

/// One schedule once more; returns what is wrong. Throws std::invalid_argument if `schedule` is
/// none.
std::optional<std::string> replay(const Program& program, const std::string& schedule,
                                  Scheduler::Settings settings = {});

}  // namespace schedules
