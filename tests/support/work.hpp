// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "gate.hpp"
#include "outcomes.hpp"
#include "ranges.hpp"
#include "recorder.hpp"

namespace support {

/// Keeps what one completion callback was told, under the same watch as `Recorder`.
class CompletionRecorder {
 public:
  struct Entry {
    xofn::Progress progress;
    std::uint64_t index;
    bool succeeded;
    bool has_error;
    unsigned attempts;
    std::chrono::nanoseconds duration;
  };

  template <class Task>
  void record(const xofn::Completion<Task>& c) {
    record({c.progress, c.index, c.succeeded(), c.error != nullptr,
            static_cast<unsigned>(c.attempts), c.duration});
  }

  /// The same of one that came out of a stream.
  template <class Result>
  void record(const xofn::CompletedItem<Result>& c) {
    record({c.progress, c.index, c.outcome.succeeded(), c.outcome.error() != nullptr,
            static_cast<unsigned>(c.attempts), c.duration});
  }

  [[nodiscard]] auto callback() {
    return [this](const auto& completion) { record(completion); };
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] int overlaps() const { return overlaps_.load(std::memory_order_relaxed); }

 private:
  void record(const Entry& entry) {
    const Inside inside(busy_);
    if (inside.alone) {
      entries_.push_back(entry);
    } else {
      overlaps_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  std::vector<Entry> entries_;
  std::atomic<bool> busy_{false};
  std::atomic<int> overlaps_{0};
};

/// What is wrong with the completions of a batch: each completed item once, the k-th with X = k.
template <class R>
std::string wrong_completions(const CompletionRecorder& recorder,
                              const xofn::BatchReport<R>& report) {
  if (recorder.overlaps() != 0) return "C4: completion calls overlapped";
  const auto& entries = recorder.entries();
  if (entries.size() != report.progress().completed()) {
    return std::to_string(entries.size()) + " completions for " + describe(report.progress());
  }
  std::vector<bool> seen(report.outcomes().size());
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const auto& entry = entries[k];
    const std::string item = "item " + std::to_string(entry.index);
    if (std::string wrong = wrong_snapshot(entry.progress); !wrong.empty()) return wrong;
    if (entry.progress.completed() != k + 1)
      return "C2: a completion told " + describe(entry.progress);
    if (entry.index >= seen.size() || seen[entry.index])
      return item + " completed twice or is none";
    seen[entry.index] = true;
    const auto& outcome = report.outcomes()[entry.index];
    if (outcome.succeeded() != entry.succeeded) return item + " did not end as it was told";
    if (entry.has_error == entry.succeeded) return item + ": the error does not fit";
    if (entry.attempts != report.attempts(entry.index)) return item + ": attempts";
    if (entry.duration.count() < 0) return item + ": duration";
    const xofn::Progress& p = entry.progress;
    const xofn::Progress before = k == 0 ? xofn::Progress{} : entries[k - 1].progress;
    if (p.succeeded - before.succeeded != (entry.succeeded ? 1 : 0)) {
      return item + ": the snapshot does not count it as it ended";
    }
  }
  return {};
}

/// Runs `range` to its end, by `run` or by `start` and `wait`.
template <class Processor, class Range, class Handler>
auto run_either_way(Processor& processor, bool by_start, Range range, Handler handler) {
  if (by_start) return processor.start(std::move(range), std::move(handler)).wait();
  return processor.run(range, std::move(handler));
}

}  // namespace support
