// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include <xofn/batch_processor.hpp>

#include "../support/oracle.hpp"
#include "../support/outcomes.hpp"
#include "batch_scenario.hpp"
#include "complaint.hpp"

namespace properties {

/// Pauses, resumes and cancels a started batch where its scenario says so, and watches that nothing
/// starts that must not (C12): afterwards each worker may begin the one item that it was about to.
template <class Sync>
class Steering {
 public:
  using Batch = xofn::Batch<int, Sync>;

  Steering(const BatchScenario& scenario, const support::Runs& runs, Complaint& complaint)
      : scenario_(scenario), runs_(runs), complaint_(complaint) {}

  void begin(Batch& batch) { batch_.store(&batch); }
  void end() { batch_.store(nullptr); }

  [[nodiscard]] bool pauses() const { return scenario_.pauser != Steerer::nobody; }
  [[nodiscard]] bool cancelled() const { return cancelled_.load(); }

  /// Something has been counted by `who`, who may be the one to do something at that count.
  void counted(Steerer who, std::uint64_t count) {
    if (scenario_.canceller == who && count == cancel_at()) cancel();
    if (!pauses() || count % pause_every() != 0) return;
    if (scenario_.pauser == who) {
      pause();
    } else {
      resume();
    }
  }

  /// What another thread does until the batch ends, or it has nothing more to do.
  void steer() {
    std::uint64_t pause_at = pause_every();
    while (Batch* const batch = batch_.load()) {
      const bool is_over = support::is_final(batch->progress());
      const std::uint64_t begun = runs_.all_begun();
      if (scenario_.canceller == Steerer::another_thread && (begun >= cancel_at() || is_over)) {
        cancel();
      }
      if (is_over) return;
      if (scenario_.pauser == Steerer::another_thread && begun >= pause_at) {
        pause();
        pause_at += pause_every();
      }
      for (int i = 0; i < (pauses() ? 20 : 1); ++i) std::this_thread::yield();
      resume();
    }
  }

  /// For when the batch has ended: a pause holds back nothing once it has been deserted.
  void check_end(bool was_deserted) {
    if (was_shown_running_.load() && !was_deserted) {
      complaint_.add("C12: paused, and shown as running");
    }
    if (runs_.all_begun() > most_cancelled_.load()) {
      complaint_.add("C12: begun after cancel() had returned");
    }
  }

 private:
  enum class Pausing { no, changes, yes };

  [[nodiscard]] std::uint64_t cancel_at() const {
    return static_cast<std::uint64_t>(scenario_.cancel_at);
  }
  [[nodiscard]] std::uint64_t pause_every() const {
    return static_cast<std::uint64_t>(scenario_.pause_every);
  }
  [[nodiscard]] std::uint64_t most_begun() const {
    return runs_.all_begun() + static_cast<std::uint64_t>(scenario_.workers);
  }

  void cancel() {
    Batch* const batch = batch_.load();
    if (batch == nullptr) return;
    const bool is_first = !cancelled_.exchange(true);
    batch->cancel();
    if (is_first) most_cancelled_.store(most_begun());
  }

  // Who changes it has it alone, and nobody waits: an executor may run items within resume().
  [[nodiscard]] bool change(Pausing from) {
    return batch_.load() != nullptr && pausing_.compare_exchange_strong(from, Pausing::changes);
  }

  void pause() {
    if (!change(Pausing::no)) return;
    batch_.load()->pause();
    most_paused_ = most_begun();
    pausing_.store(Pausing::yes);
  }

  void resume() {
    if (!change(Pausing::yes)) return;
    const bool is_running = batch_.load()->progress().state == xofn::BatchState::running;
    const bool may_stop = cancelled_.load() || scenario_.bears != Bears::all_failures;
    if (is_running && !may_stop) was_shown_running_.store(true);
    if (runs_.all_begun() > most_paused_) complaint_.add("C12: begun while the batch was paused");
    batch_.load()->resume();
    pausing_.store(Pausing::no);
  }

  const BatchScenario& scenario_;
  const support::Runs& runs_;
  Complaint& complaint_;
  std::atomic<Batch*> batch_{nullptr};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> was_shown_running_{false};  // while it was paused
  std::atomic<std::uint64_t> most_cancelled_{~std::uint64_t{0}};
  std::atomic<Pausing> pausing_{Pausing::no};
  std::uint64_t most_paused_ = 0;
};

}  // namespace properties
