// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>

#include <xofn/batch_processor.hpp>

#include "batch_scenario.hpp"
#include "complaint.hpp"

namespace properties {

/// Adds the items of an open batch: those that are not added by its tasks from outside, where it is
/// closed then.
template <class Sync>
class Adding {
 public:
  using Batch = xofn::OpenBatch<int, int, Sync>;

  Adding(const BatchScenario& scenario, Complaint& complaint)
      : scenario_(scenario), complaint_(complaint) {}

  void begin(Batch& batch) { batch_.store(&batch); }
  void end() { batch_.store(nullptr); }

  void add_all() {
    while (add_one()) {
    }
    is_closing_.store(true);
    batch_.load()->close();
  }

  /// A task may add one. It may come too late.
  void add_by_task(std::uint64_t index) {
    const auto every = static_cast<std::uint64_t>(scenario_.tasks_add_every);
    if (every == 0 || index % every != 0) return;
    try {
      add_one();
    } catch (const std::logic_error&) {
      refused_.fetch_add(1);
      if (!is_closing_.load()) complaint_.add("refused, though it was not closed");
    }
  }

  [[nodiscard]] std::uint64_t added() const { return added_.load(); }
  /// Whether one was refused without the batch having been closed.
  [[nodiscard]] bool stopped() const {
    return added_.load() + refused_.load() != static_cast<std::uint64_t>(scenario_.items);
  }

 private:
  bool add_one() {
    Batch* const batch = batch_.load();
    if (batch == nullptr) return false;
    const int task = next_.fetch_add(1);
    if (task >= scenario_.items || !batch->add(task)) return false;
    added_.fetch_add(1);
    return true;
  }

  const BatchScenario& scenario_;
  Complaint& complaint_;
  std::atomic<Batch*> batch_{nullptr};
  std::atomic<int> next_{0};
  std::atomic<std::uint64_t> added_{0}, refused_{0};
  std::atomic<bool> is_closing_{false};
};

}  // namespace properties
