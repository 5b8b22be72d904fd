// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <xofn/batch/report.hpp>

#include "oracle.hpp"

namespace support {

/// How often each item was begun and how often it came back, by whatever way.
class Runs {
 public:
  explicit Runs(std::size_t items) : begun_(items), ended_(items) {}

  /// Lives as long as the task of item `index` runs.
  class Running {
   public:
    Running(Runs& runs, std::size_t index) : runs_(runs), index_(index) {
      runs_.begun_[index_].fetch_add(1, std::memory_order_relaxed);
      runs_.all_begun_.fetch_add(1, std::memory_order_relaxed);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
      runs_.ended_[index_].fetch_add(1, std::memory_order_relaxed);
      runs_.all_ended_.fetch_add(1, std::memory_order_relaxed);
    }

   private:
    Runs& runs_;
    std::size_t index_;
  };

  [[nodiscard]] Running run(int index) { return {*this, static_cast<std::size_t>(index)}; }

  [[nodiscard]] std::size_t items() const { return begun_.size(); }
  [[nodiscard]] int begun(std::size_t index) const {
    return begun_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] int ended(std::size_t index) const {
    return ended_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t all_begun() const {
    return all_begun_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t all_ended() const {
    return all_ended_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<std::atomic<int>> begun_;
  std::vector<std::atomic<int>> ended_;
  std::atomic<std::uint64_t> all_begun_{0};
  std::atomic<std::uint64_t> all_ended_{0};
};

/// Fails as tasks in the wild do: with an exception, with a number, with a text.
[[noreturn]] inline void fail(int item) {
  switch (item % 3) {
    case 0:
      throw std::runtime_error("item " + std::to_string(item));
    case 1:
      throw item;
    default:
      throw "a text that is no exception";
  }
}

/// C1 and C8 for a report of a batch whose tasks kept `runs`: each item settled exactly once, the
/// outcomes, the failures and the figures agree, and nothing ran that is not accounted for. An
/// item is begun `max_attempts` times at most; one for which `refused(index)` holds fails unbegun.
template <class R, class Refused>
std::string wrong_report(const xofn::BatchReport<R>& report, const Runs& runs, int max_attempts,
                         Refused refused) {
  const xofn::Progress last = report.progress();
  if (std::string wrong = wrong_snapshot(last); !wrong.empty()) return wrong;
  if (!is_final(last)) return "C6: the report is of a batch that has not ended";
  const auto& outcomes = report.outcomes();
  if (outcomes.size() != last.total) {
    return std::to_string(outcomes.size()) + " outcomes for " + describe(last);
  }
  if (last.total > runs.items()) return "C1: more items than there were: " + describe(last);
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::size_t next_failure = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& outcome = outcomes[i];
    const std::string item = "item " + std::to_string(i);
    const int ways = int{outcome.succeeded()} + int{outcome.failed()} + int{outcome.cancelled()};
    if (ways != 1) return "C1: " + item + " settled in " + std::to_string(ways) + " ways";
    const bool is_refused = refused(i);
    if (is_refused && outcome.succeeded()) return "it was to be refused: " + item;
    const int least = outcome.cancelled() || is_refused ? 0 : 1;
    const int most = is_refused ? 0 : outcome.cancelled() ? max_attempts - 1 : max_attempts;
    const int ran = runs.begun(i);
    if (ran < least || ran > most || runs.ended(i) != ran) {
      return "C1: " + item + " ran " + std::to_string(ran) + " times and not " +
             std::to_string(least) + " to " + std::to_string(most);
    }
    if (static_cast<int>(report.attempts(i)) != ran + (is_refused && outcome.failed() ? 1 : 0)) {
      return item + " was begun " + std::to_string(ran) + " times, by its report " +
             std::to_string(report.attempts(i));
    }
    succeeded += outcome.succeeded() ? 1U : 0U;
    failed += outcome.failed() ? 1U : 0U;
    cancelled += outcome.cancelled() ? 1U : 0U;
    const bool has_failed = outcome.failed() || (outcome.cancelled() && ran > 0);
    if (has_failed != (outcome.error() != nullptr)) return "C8: the error of " + item;
    if (outcome.failed()) {
      const auto& failures = report.failures();
      if (next_failure >= failures.size()) return "C8: no failure kept for " + item;
      const auto& failure = failures[next_failure++];
      if (failure.index != i) return "C8: the failures are not in order at " + item;
      if (failure.exception != outcome.error()) return "C8: two different errors for " + item;
      if (failure.what().empty()) return "C8: what() is empty for " + item;
    }
  }
  if (next_failure != report.failures().size()) return "C8: failures of items that did not fail";
  if (succeeded != last.succeeded || failed != last.failed || cancelled != last.cancelled) {
    return "C1: the outcomes differ from " + describe(last);
  }
  const bool is_whole = !report.range_error() && report.stop_reason() == xofn::StopReason::none;
  if (report.all_succeeded() != (succeeded == last.total && is_whole)) {
    return "all_succeeded() is wrong for " + describe(last);
  }
  return {};
}

template <class R>
std::string wrong_report(const xofn::BatchReport<R>& report, const Runs& runs,
                         int max_attempts = 1) {
  return wrong_report(report, runs, max_attempts, [](std::size_t) { return false; });
}

}  // namespace support
