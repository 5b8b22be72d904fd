// SPDX-License-Identifier: MIT
// Not API: how a batch weighs its items.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/step_log.hpp>
#include <xofn/batch/weigher.hpp>
#include <xofn/batch/weights.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What only a batch has whose processor weighs.
template <class Task, class Sync = StdSync>
class Weighing {
 public:
  /// `log_steps`: somebody tells steps without knowing of which items.
  Weighing(Weigher<Task>& weigher, std::uint64_t expected, bool log_steps)
      : weigher_(weigher), weights_(expected) {
    if (log_steps) log_.emplace(expected);
  }

  /// Null if the listeners do not weigh.
  static std::unique_ptr<Weighing> make(const Listeners<Task, Sync>& listeners,
                                        std::uint64_t expected) {
    if (listeners.weigher == nullptr) return nullptr;
    bool log_steps = false;
    for (const Subscription& s : listeners.progress) {
      log_steps = log_steps || (s.delivery.is_every() && s.delivery.is_on_caller());
    }
    return std::make_unique<Weighing>(*listeners.weigher, expected, log_steps);
  }

  void grow(std::uint64_t count) {
    weights_.grow(count);
    if (log_) log_->grow(count);
  }

  /// Calls the user's function, from any thread.
  [[nodiscard]] std::uint64_t weigh(const Task& task) { return weigher_.weigh(task); }

  /// Weighs item `i`, the next, before it is available.
  void add(std::uint64_t i, const Task& task) { weights_.add(i, weigh(task)); }

  [[nodiscard]] Weights<Sync>& weights() noexcept { return weights_; }

  /// Null unless somebody needs it.
  [[nodiscard]] StepLog<Sync>* log() noexcept { return log_ ? &*log_ : nullptr; }

 private:
  Weigher<Task>& weigher_;
  Weights<Sync> weights_;
  std::optional<StepLog<Sync>> log_;
};

}  // namespace xofn::detail
