// SPDX-License-Identifier: MIT
// Not API: the way of a state to where it is published.
#pragma once

#include <concepts>
#include <stdexcept>
#include <xofn/publish/published_state.hpp>

namespace xofn::detail {

/// Where states go. `send` returns when the state has arrived, and throws a std::exception when it
/// has not by the deadline; a `Refused` if it never will.
template <class L, class Sync>
concept Link = std::movable<L> && requires(L& link, const PublishedState<Sync>& state,
                                           typename Sync::clock::time_point deadline) {
  { link.send(state, deadline) } -> std::same_as<void>;
};

/// Of a state that is not wanted, however often it is sent.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace xofn::detail
