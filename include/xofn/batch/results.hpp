// SPDX-License-Identifier: MIT
// Not API: where a batch keeps what became of its items.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/batch/failure.hpp>
#include <xofn/batch/item_run.hpp>
#include <xofn/batch/outcome.hpp>
#include <xofn/batch/stable_store.hpp>

namespace xofn::detail {

/// The outcomes of a batch. Items without a result take no storage but for what did not succeed.
///
/// While the batch runs, each item's worker writes that item's outcome, and the lists are written
/// under the batch's lock; after `finish` nothing is written.
template <class Result>
class Results {
 public:
  static constexpr bool keeps_values = !std::is_void_v<Result>;

  explicit Results(std::uint64_t expected) : outcomes_(expected) {}
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  ~Results() {
    if constexpr (keeps_values) {
      for (std::uint64_t i = 0; i != total_; ++i) std::destroy_at(outcomes_.at(i));
    }
  }

  void grow(std::uint64_t count) {
    if constexpr (keeps_values) outcomes_.grow(count);
  }

  /// Makes the outcome of item `i` from what `make_value()` returns; passes on what it throws.
  template <class MakeValue>
  void succeed(std::uint64_t i, MakeValue&& make_value) {
    if constexpr (keeps_values) {
      std::construct_at(outcomes_.at(i), std::in_place, make_value());
    } else {
      make_value();
    }
  }

  /// Keeps what item `i` failed with, where the reference says.
  const std::exception_ptr& fail(std::uint64_t i, std::exception_ptr error,
                                 std::uint32_t attempts) {
    if constexpr (keeps_values) std::construct_at(outcomes_.at(i), error);
    return failing_.emplace_back(Failure{i, std::move(error), attempts}).exception;
  }

  /// These items were not begun, or not again.
  void cancel(ItemRun items) { cancelled_.push_back({items, false}); }

  /// Item `i` was begun, and was cancelled.
  void cancel_begun(std::uint64_t i) { cancelled_.push_back({{i, 1}, true}); }

  /// Keeps that item `i` was tried again; before `finish`, once all items have settled.
  void retry(std::uint64_t i, std::uint32_t retries, const std::exception_ptr& error) {
    retried_.push_back({i, retries, error});
  }

  /// Puts everything in the order of submission, once all of `total` items have settled.
  void finish(std::uint64_t total) {
    const auto in_order = [](auto& list, auto first) {
      std::sort(list.begin(), list.end(),
                [first](const auto& a, const auto& b) { return a.*first < b.*first; });
    };
    failures_.assign(failing_.begin(), failing_.end());
    in_order(failures_, &Failure::index);
    in_order(cancelled_, &Cancelled::first);
    in_order(retried_, &Retried::index);
    for (Retried& item : retried_) {
      if (cancelled(item.index) == nullptr) item.error = nullptr;
    }
    if constexpr (keeps_values) {
      for (const Cancelled& items : cancelled_) {
        for (std::uint64_t i = 0; i != items.count; ++i) {
          std::construct_at(outcomes_.at(items.first + i), LastError{last_error(items.first + i)});
        }
      }
    }
    total_ = total;
  }

  [[nodiscard]] std::uint64_t total() const noexcept { return total_; }

  /// At most `most` failures from the `first` on, in the order in which they came. Under the lock.
  [[nodiscard]] std::vector<Failure> failing(std::size_t first, std::size_t most) const {
    std::vector<Failure> some;
    const std::size_t size = failing_.size();
    for (std::size_t i = first; i < size && some.size() < most; ++i) some.push_back(failing_[i]);
    return some;
  }

  [[nodiscard]] const std::vector<Failure>& failures() const noexcept { return failures_; }

  /// The outcome of item `i`, which has completed: the one kept, or one made up for an item without
  /// a result, of what it failed with, or null.
  [[nodiscard]] decltype(auto) completed(std::uint64_t i,
                                         const std::exception_ptr* error) noexcept {
    if constexpr (keeps_values) {
      return static_cast<Outcome<Result>&>(*outcomes_.at(i));
    } else {
      return error == nullptr ? Outcome<void>(std::in_place) : Outcome<void>(*error);
    }
  }

  /// The outcome of item `i`: the one kept, or one made up for items without a result.
  [[nodiscard]] decltype(auto) outcome(std::uint64_t i) noexcept {
    if constexpr (keeps_values) {
      return static_cast<Outcome<Result>&>(*outcomes_.at(i));
    } else {
      const auto failure =
          std::lower_bound(failures_.begin(), failures_.end(), i,
                           [](const Failure& f, std::uint64_t index) { return f.index < index; });
      if (failure != failures_.end() && failure->index == i)
        return Outcome<void>(failure->exception);
      if (cancelled(i) != nullptr) return Outcome<void>(LastError{last_error(i)});
      return Outcome<void>(std::in_place);
    }
  }

  /// Whether item `i` was cancelled without being begun, or begun again. After `finish`.
  [[nodiscard]] bool was_left(std::uint64_t i) const noexcept {
    const Cancelled* items = cancelled(i);
    return items != nullptr && !items->were_begun;
  }

  /// How often item `i` was begun. After `finish`.
  [[nodiscard]] std::uint32_t attempts(std::uint64_t i) const noexcept {
    const Retried* item = retried(i);
    return (item == nullptr ? 0 : item->retries) + (was_left(i) ? 0 : 1);
  }

 private:
  struct Retried {
    std::uint64_t index;
    std::uint32_t retries;
    std::exception_ptr error;  // of a cancelled item
  };

  struct Cancelled : ItemRun {
    bool were_begun;
  };

  [[nodiscard]] const Retried* retried(std::uint64_t i) const noexcept {
    const auto item =
        std::lower_bound(retried_.begin(), retried_.end(), i,
                         [](const Retried& r, std::uint64_t index) { return r.index < index; });
    return item != retried_.end() && item->index == i ? &*item : nullptr;
  }

  [[nodiscard]] std::exception_ptr last_error(std::uint64_t i) const noexcept {
    const Retried* item = retried(i);
    return item == nullptr ? nullptr : item->error;
  }

  /// The items among which `i` was cancelled, or null.
  [[nodiscard]] const Cancelled* cancelled(std::uint64_t i) const noexcept {
    const auto behind = std::upper_bound(
        cancelled_.begin(), cancelled_.end(), i,
        [](std::uint64_t index, const Cancelled& items) { return index < items.first; });
    if (behind == cancelled_.begin()) return nullptr;
    const Cancelled& items = *(behind - 1);
    return i - items.first < items.count ? &items : nullptr;
  }

  struct NoOutcomes {
    explicit NoOutcomes(std::uint64_t) noexcept {}
  };
  using Outcomes = std::conditional_t<keeps_values, StableStore<Outcome<Result>>, NoOutcomes>;

  Outcomes outcomes_;
  std::deque<Failure> failing_;  // in the order in which they failed, and where they stay
  std::vector<Failure> failures_;
  std::vector<Cancelled> cancelled_;
  std::vector<Retried> retried_;
  std::uint64_t total_ = 0;
};

}  // namespace xofn::detail
