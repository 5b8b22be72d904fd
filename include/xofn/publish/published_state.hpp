// SPDX-License-Identifier: MIT
// Not API: a state on its way out of the process.
#pragma once

#include <cstdint>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A snapshot, and which one it is.
template <class Sync = StdSync>
struct PublishedState {
  Progress progress;
  std::uint64_t batch = 0;     ///< of the publisher's: 1, 2, ...; 0: there has been none
  std::uint64_t sequence = 0;  ///< grows with each state, over all batches of the publisher
  typename Sync::clock::time_point began{};  ///< the batch, as far as the publisher knows

  /// Whether the batch will have no other state.
  [[nodiscard]] bool is_last() const noexcept {
    return batch == 0 || progress.state == BatchState::finished ||
           progress.state == BatchState::cancelled;
  }

  /// What follows: the next state of the batch, or the first one of another.
  [[nodiscard]] PublishedState next(const Progress& told) const {
    const bool is_same = !is_last() && told.completed() >= progress.completed();
    return {told, is_same ? batch : batch + 1, sequence + 1, is_same ? began : Sync::clock::now()};
  }
};

}  // namespace xofn::detail
