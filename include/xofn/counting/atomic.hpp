// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <xofn/counting/policy.hpp>
#include <xofn/counting/wrapping.hpp>

namespace xofn {

/// Counts in one atomic number: exact, without a lock. All threads share its cache line. All of its
/// operations are seq_cst, as ExactCountingPolicy asks.
struct AtomicCounting {
  template <class Sync>
  class cell {
   public:
    explicit cell(std::int64_t initial) noexcept : value_(initial) {}

    std::int64_t add(std::int64_t n) noexcept {
      return detail::wrapping_add(value_.fetch_add(n), n);
    }

    [[nodiscard]] std::int64_t value() const noexcept { return value_.load(); }

    std::int64_t reset(std::int64_t to) noexcept { return value_.exchange(to); }

   private:
    typename Sync::template atomic<std::int64_t> value_;
  };
};

static_assert(ExactCountingPolicy<AtomicCounting>);

}  // namespace xofn
