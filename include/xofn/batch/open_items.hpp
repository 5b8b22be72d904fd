// SPDX-License-Identifier: MIT
// Not API: an open batch as its handle knows it.
#pragma once

#include <memory>

namespace xofn::detail {

/// A batch that tasks can be added to.
template <class Task>
class OpenItems {
 public:
  /// Whether a task might be added now: false once the batch has been stopped. Throws
  /// std::logic_error once it has been closed.
  [[nodiscard]] virtual bool takes_tasks() const = 0;

  /// Adds the task, or leaves it and returns false. Throws std::logic_error once the batch has been
  /// closed, and what keeping a task throws; then it is left as well.
  virtual bool add(std::unique_ptr<Task>& task) = 0;

  /// No more is to come.
  virtual void close() = 0;

 protected:
  ~OpenItems() = default;
};

}  // namespace xofn::detail
