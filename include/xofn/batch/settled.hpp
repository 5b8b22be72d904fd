// SPDX-License-Identifier: MIT
// Not API: how an item has settled.
#pragma once

#include <exception>
#include <xofn/batch/worker.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// How an attempt ended: by which figure it is counted, and what it failed with, kept until the
/// item is told.
template <class Sync = StdSync>
struct Settled {
  typename Worker<Sync>::Word Worker<Sync>::*figure = &Worker<Sync>::succeeded;
  const std::exception_ptr* error = nullptr;

  [[nodiscard]] bool succeeded() const noexcept { return figure == &Worker<Sync>::succeeded; }
  [[nodiscard]] bool cancelled() const noexcept { return figure == &Worker<Sync>::cancelled; }
  [[nodiscard]] bool completed() const noexcept { return error != nullptr || succeeded(); }
};

}  // namespace xofn::detail
