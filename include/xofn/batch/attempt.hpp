// SPDX-License-Identifier: MIT
// Not API: one run of an item.
#pragma once

#include <cstdint>
#include <exception>
#include <utility>
#include <xofn/batch/deadline.hpp>
#include <xofn/batch/task_timeout.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Which attempt at its item it is, and whether it ends in time.
template <class Sync = StdSync>
struct Attempt {
  std::uint32_t number;      ///< from 1
  Deadline<Sync>* deadline;  ///< null if it may take any time

  /// The task has returned. Throws TaskTimeout if it is late.
  void end_in_time() const {
    const auto took = deadline->end();
    if (deadline->is_late(took)) throw TaskTimeout(took, nullptr);
  }

  /// The task has thrown `error`, or end_in_time() has. Whether it is late, which `error` then
  /// says.
  bool end_late(std::exception_ptr& error) const {
    if (deadline == nullptr || !deadline->runs()) return false;
    const auto took = deadline->end();
    if (!deadline->is_late(took)) return false;
    error = std::make_exception_ptr(TaskTimeout(took, std::move(error)));
    return true;
  }
};

}  // namespace xofn::detail
