// SPDX-License-Identifier: MIT
// Not API: who is inside of something that ends when the last one leaves.
#pragma once

#include <cstdint>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Counts those inside, and shuts behind the last one if nothing is left to do. Used from any
/// thread; once shut it stays shut.
template <class Sync = StdSync>
class Door {
 public:
  /// False if it is shut.
  [[nodiscard]] bool enter() noexcept {
    if ((inside_.fetch_add(one_entry + one_inside) & shut) == 0) return true;
    inside_.fetch_sub(one_inside);
    return false;
  }

  /// Leaves it open; returns whether nobody is left inside.
  bool leave() noexcept { return is_alone(inside_.fetch_sub(one_inside)); }

  /// From outside: shuts it if nobody is inside and `is_over()`. Returns whether this call did.
  template <class IsOver>
  [[nodiscard]] bool try_shut(IsOver is_over) {
    std::uint64_t inside = inside_.load();
    return inside % one_entry == 0 && is_over() && inside_.compare_exchange_strong(inside, shut);
  }

  /// Leaves; if nobody is left inside and `is_over()`, shuts it. Returns whether this call did.
  ///
  /// The last one to leave either finds that it is not over, and then nobody has entered since, or
  /// shuts the door. Were entries not counted, another could have come, made it over and left the
  /// rest to this one.
  template <class IsOver>
  [[nodiscard]] bool leave_or_shut(IsOver is_over) {
    std::uint64_t inside = inside_.load();
    for (;;) {
      const bool shuts = is_alone(inside) && is_over();
      if (inside_.compare_exchange_weak(inside, shuts ? shut : inside - one_inside)) return shuts;
    }
  }

 private:
  static constexpr std::uint64_t shut = 1;
  static constexpr std::uint64_t one_inside = 2;
  static constexpr std::uint64_t one_entry = std::uint64_t{1} << 32;

  /// Whether it was one thread that was inside.
  static bool is_alone(std::uint64_t inside) noexcept { return inside % one_entry == one_inside; }

  typename Sync::template atomic<std::uint64_t> inside_{0};  // entries, threads inside, shut
};

}  // namespace xofn::detail
