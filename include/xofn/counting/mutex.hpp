// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>
#include <xofn/counting/policy.hpp>
#include <xofn/counting/wrapping.hpp>

namespace xofn {

/// Counts under a lock: the plainest way, and the yardstick for the others.
struct MutexCounting {
  template <class Sync>
  class cell {
   public:
    explicit cell(std::int64_t initial) : value_(initial) {}

    std::int64_t add(std::int64_t n) {
      const typename Sync::lock lock(mutex_);
      return value_ = detail::wrapping_add(value_, n);
    }

    [[nodiscard]] std::int64_t value() const {
      const typename Sync::lock lock(mutex_);
      return value_;
    }

    std::int64_t reset(std::int64_t to) {
      const typename Sync::lock lock(mutex_);
      return std::exchange(value_, to);
    }

   private:
    mutable typename Sync::mutex mutex_;
    std::int64_t value_;
  };
};

static_assert(ExactCountingPolicy<MutexCounting>);

}  // namespace xofn
