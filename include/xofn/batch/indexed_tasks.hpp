// SPDX-License-Identifier: MIT
// Not API: tasks that can be had by their index.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <utility>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/task_reference.hpp>

namespace xofn::detail {

/// A sized random-access range: each element is used in place, or made a Task when its turn comes.
/// `Range` is a reference to what is borrowed, or the type of what is owned.
template <class Range, class Task>
class IndexedTasks {
 public:
  static constexpr TaskSupply supply = TaskSupply::indexed;
  static constexpr bool in_place = has_tasks_in_place<Range, Task>;
  using reference = task_reference_t<Range, Task>;

  /// `keeps` says whether a task may be asked for after its use.
  IndexedTasks(Range&& range, bool keeps)
      : range_(std::forward<Range>(range)),
        first_(std::ranges::begin(range_)),
        size_(static_cast<std::uint64_t>(std::ranges::size(range_))),
        made_(size_) {
    if (keeps && !in_place) made_.grow(size_);
    keeps_ = keeps && !in_place;
  }
  IndexedTasks(const IndexedTasks&) = delete;
  IndexedTasks& operator=(const IndexedTasks&) = delete;

  ~IndexedTasks() {
    for (std::uint64_t i = 0; i != made_early_; ++i) std::destroy_at(made_.at(i));
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  void make_early() {
    if constexpr (!in_place) {
      made_.grow(size_);
      for (; made_early_ != size_; ++made_early_) {
        std::construct_at(made_.at(made_early_), std::in_place, element(made_early_));
      }
    }
  }

  static bool read_one(std::uint64_t&) noexcept { return false; }

  /// Calls `f` with task `i`, for the first time or `again`. Passes on what the range or `f`
  /// throws.
  template <class F>
  decltype(auto) use(std::uint64_t i, bool again, F&& f) {
    if constexpr (in_place) {
      return f(element(i));
    } else {
      if (made_early_ != 0) return f(**made_.at(i));
      if (!keeps_) {
        Task task(element(i));
        return f(task);
      }
      auto* made = again ? made_.at(i) : std::construct_at(made_.at(i));
      return f(made->has_value() ? **made : made->emplace(element(i)));
    }
  }

  [[nodiscard]] const Task* used(std::uint64_t i) {
    if constexpr (in_place) {
      return std::addressof(static_cast<const Task&>(element(i)));
    } else {
      return made_.at(i)->has_value() ? std::addressof(**made_.at(i)) : nullptr;
    }
  }

  void drop(std::uint64_t i) noexcept {
    if (made_early_ != 0) {
      made_.at(i)->reset();
    } else if (keeps_) {
      std::destroy_at(made_.at(i));
    }
  }

 private:
  decltype(auto) element(std::uint64_t i) const {
    return first_[static_cast<std::ranges::range_difference_t<Range>>(i)];
  }

  Range range_;
  std::ranges::iterator_t<Range> first_;
  std::uint64_t size_;
  StableStore<std::optional<Task>> made_;
  std::uint64_t made_early_ = 0;
  bool keeps_ = false;
};

}  // namespace xofn::detail
