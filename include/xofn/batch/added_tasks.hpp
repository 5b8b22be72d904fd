// SPDX-License-Identifier: MIT
// Not API: the tasks that are added to an open batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/queue_limit.hpp>
#include <xofn/batch/stable_store.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/task_source.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Stands for the range of a batch that has none.
template <class Sync = StdSync>
struct OpenRange {
  std::size_t max_queued;
};

/// A source that one thread at a time adds to. Each task has been made elsewhere, so that nothing
/// of the user's runs meanwhile.
template <class Task, class Sync = StdSync>
class AddedTasks {
 public:
  static constexpr TaskSupply supply = TaskSupply::added;
  static constexpr bool in_place = false;
  using reference = Task&;

  AddedTasks(OpenRange<Sync>&& range, bool) : queue_(range.max_queued) {}
  AddedTasks(const AddedTasks&) = delete;
  AddedTasks& operator=(const AddedTasks&) = delete;

  ~AddedTasks() {
    for (std::uint64_t i = 0; i != added_; ++i) std::destroy_at(tasks_.at(i));
  }

  [[nodiscard]] static std::uint64_t size() noexcept { return 0; }
  static void make_early() noexcept {}
  static bool read_one(std::uint64_t&) noexcept { return false; }

  [[nodiscard]] std::uint64_t count() const noexcept { return added_; }

  [[nodiscard]] QueueLimit<Sync>& queue() noexcept { return queue_; }

  /// Makes room for one task more. Throws std::bad_alloc.
  void make_place() { tasks_.grow(added_ + 1); }

  /// Puts it there: it is number `count()`, which it raises.
  void put(std::unique_ptr<Task> task) noexcept {
    std::construct_at(tasks_.at(added_), std::move(task));
    ++added_;
  }

  template <class F>
  decltype(auto) use(std::uint64_t i, bool, F&& f) {
    return f(**tasks_.at(i));
  }

  [[nodiscard]] const Task* used(std::uint64_t i) { return tasks_.at(i)->get(); }

  void drop(std::uint64_t i) noexcept { tasks_.at(i)->reset(); }

 private:
  StableStore<std::unique_ptr<Task>> tasks_{0};
  std::uint64_t added_ = 0;
  QueueLimit<Sync> queue_;
};

template <class Sync, class Task>
struct TaskSourceOf<OpenRange<Sync>, Task> {
  using type = AddedTasks<Task, Sync>;
};

}  // namespace xofn::detail
