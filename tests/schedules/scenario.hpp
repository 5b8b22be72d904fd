// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "data.hpp"
#include "scheduled_sync.hpp"
#include "scheduler.hpp"

namespace schedules {

/// A program over the library's own code that is run in every order. To add one:
///
///     const Scenario name{"what it shows, as a sentence", 3, [] {
///       xofn::ThreadSafeCounter<xofn::AtomicCounting, ScheduledSync> counter;
///       const ScheduledThread other([&] { counter.increment(); });
///       counter.wait(1);
///       check(counter.value() == 1, "a wait ends when the count is reached");
///     }};
///
/// 3 is the bound on preemptions for the exhaustive search; give less only where the schedules with
/// that many cannot be counted to their end. User code says `here()` where others may go, keeps
/// what threads share in `Data` or `ScheduledSync::atomic`, and says `work_for(2us)` to take time.
class Scenario {
 public:
  using Program = void (*)();

  Scenario(std::string_view sentence, unsigned bound, Program code)
      : name_(sentence), preemptions_(bound), program_(code) {
    all().push_back(this);
  }
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] unsigned preemptions() const { return preemptions_; }
  [[nodiscard]] Program program() const { return program_; }

  static std::vector<const Scenario*>& all() {
    static std::vector<const Scenario*> scenarios;
    return scenarios;
  }

 private:
  const std::string_view name_;
  const unsigned preemptions_;
  const Program program_;
};

}  // namespace schedules
