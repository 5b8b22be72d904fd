// SPDX-License-Identifier: MIT
// Not API: how long an item waits for its retry.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace xofn::detail {

/// Waits that double with each retry, up to a minute, each cut at random by up to a half. The same
/// seed gives the same waits. Used by one thread at a time.
class Backoff {
 public:
  using nanoseconds = std::chrono::nanoseconds;

  static constexpr nanoseconds most = std::chrono::minutes{1};  ///< unless the first is longer

  /// `first` is not negative.
  Backoff(nanoseconds first, std::uint64_t seed) noexcept : first_(first), random_(seed) {}

  /// How long the `retry`-th retry of an item waits, from 1.
  [[nodiscard]] nanoseconds before(std::uint32_t retry) noexcept {
    const nanoseconds longest = std::max(first_, most);
    nanoseconds wait = first_;
    for (; retry > 1 && wait != nanoseconds::zero() && wait < longest; --retry) {
      wait = std::min(2 * wait, longest);  // of at most a minute
    }
    const auto cut = static_cast<std::uint64_t>(wait.count() / 2);
    return wait - nanoseconds{static_cast<nanoseconds::rep>(next() % (cut + 1))};
  }

 private:
  /// The generator known as SplitMix64.
  std::uint64_t next() noexcept {
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  const nanoseconds first_;
  std::uint64_t random_;
};

}  // namespace xofn::detail
