// SPDX-License-Identifier: MIT
// Not API: tasks that are read one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/task_reference.hpp>

namespace xofn::detail {

/// Any other range: one thread at a time reads it. Elements that stay where they are as it is read
/// are used in place, others are made a Task as they are read.
template <class Range, class Task>
class ReadTasks {
 public:
  static constexpr TaskSupply supply = TaskSupply::read;
  static constexpr bool in_place = has_lasting_tasks<Range, Task>;
  using reference = task_reference_t<Range, Task>;

  ReadTasks(Range&& range, bool) : range_(std::forward<Range>(range)) {}
  ReadTasks(const ReadTasks&) = delete;
  ReadTasks& operator=(const ReadTasks&) = delete;

  ~ReadTasks() {
    for (std::uint64_t i = 0; i != read_; ++i) std::destroy_at(tasks_.at(i));
  }

  [[nodiscard]] static std::uint64_t size() noexcept { return 0; }

  static void make_early() noexcept {}

  bool read_one(std::uint64_t& count) {
    if (!next_) {
      next_.emplace(std::ranges::begin(range_));
    } else {
      ++*next_;
    }
    if (*next_ == std::ranges::end(range_)) return false;
    tasks_.grow(read_ + 1);
    if constexpr (in_place) {
      std::construct_at(tasks_.at(read_), std::addressof(**next_));
    } else {
      std::construct_at(tasks_.at(read_), std::in_place, **next_);
    }
    count = ++read_;
    return true;
  }

  template <class F>
  decltype(auto) use(std::uint64_t i, bool, F&& f) {
    return f(static_cast<reference>(**tasks_.at(i)));
  }

  [[nodiscard]] const Task* used(std::uint64_t i) {
    return std::addressof(static_cast<const Task&>(**tasks_.at(i)));
  }

  void drop(std::uint64_t i) noexcept {
    if constexpr (!in_place) tasks_.at(i)->reset();
  }

 private:
  using Stored = std::conditional_t<in_place, std::add_pointer_t<reference>, std::optional<Task>>;

  Range range_;
  std::optional<std::ranges::iterator_t<Range>> next_;
  StableStore<Stored> tasks_{0};
  std::uint64_t read_ = 0;
};

}  // namespace xofn::detail
