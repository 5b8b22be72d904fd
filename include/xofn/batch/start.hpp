// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace xofn {

/// An attempt at an item that begins, as an `on_start` callback is told it.
template <class Task>
struct Start {
  std::uint64_t index;    ///< the item's place in the order of submission, from 0
  const Task& task;       ///< lives until the callback returns, at least
  std::uint32_t attempt;  ///< which attempt it is, from 1
  std::uint64_t total;    ///< N, as far as it is known
};

}  // namespace xofn
