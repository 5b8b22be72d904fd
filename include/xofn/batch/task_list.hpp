// SPDX-License-Identifier: MIT
// Not API: the tasks of a batch, from wherever they come.
#pragma once

#include <cstdint>

namespace xofn::detail {

/// How the tasks of a batch come to be known.
enum class TaskSupply : std::uint8_t {
  indexed,  ///< all are there from the start
  read,     ///< one after the other, from a range
  added     ///< by the user, while the batch runs
};

/// Tasks 0, 1, ... of a batch.
template <class Task>
class TaskList {
 public:
  virtual ~TaskList() = default;

  [[nodiscard]] virtual TaskSupply supply() const noexcept = 0;

  /// How many there are from the start.
  [[nodiscard]] virtual std::uint64_t size() const noexcept = 0;

  /// Makes all tasks that have to be made, before any is used. Passes on what the range throws.
  virtual void make_early() = 0;

  /// Reads the next task, which becomes the last of `count`; false at the end. By one thread at a
  /// time. Passes on what the range throws, after which it must not be read.
  virtual bool read_one(std::uint64_t& count) = 0;

  /// Task `i` after its use, or when it was made early; null if it could not be made.
  [[nodiscard]] virtual const Task* used(std::uint64_t i) = 0;

  /// The same for who is told of it: null also if the range does not give it another time.
  [[nodiscard]] const Task* found(std::uint64_t i) noexcept {
    try {
      return used(i);
    } catch (...) {
      return nullptr;  // it has thrown before, and the item has failed with that
    }
  }

  /// Nobody will ask for task `i` again.
  virtual void drop(std::uint64_t i) noexcept = 0;
};

}  // namespace xofn::detail
