// SPDX-License-Identifier: MIT
// Not API: the state as far as it has been told step by step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <xofn/delivery/progress.hpp>
#include <xofn/delivery/progress_callback.hpp>
#include <xofn/delivery/snapshot.hpp>

namespace xofn::detail {

/// What was told last to those who are told X = 1, 2, ... What has settled beyond that is running
/// to them.
struct ToldState {
  Progress state;

  /// Takes over what is the same for all the steps up to `now`.
  void begin(const Progress& now) noexcept {
    const Progress visible = untold(now);
    state.total = visible.total;
    state.total_is_final = visible.total_is_final;
    state.state = visible.state;
    state.retried = visible.retried;
    state.elapsed = std::max(state.elapsed, visible.elapsed);
    state.weight_total = visible.weight_total;
    state.running = visible.running + visible.completed() - state.completed();
  }

  /// Takes one step, of an item of this weight.
  void step(std::uint64_t Progress::*settled, std::uint64_t weight = 0) noexcept {
    take_step(state, settled);
    state.weight_completed += weight;
  }
};

}  // namespace xofn::detail
