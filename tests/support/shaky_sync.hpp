// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include <xofn/sync.hpp>

namespace support {

/// Lets other threads go first, now and then: where that can be seen, it soon is.
inline void shake() {
  static std::atomic<std::uint32_t> seeds{1};
  thread_local std::uint32_t state = 2654435769U * seeds.fetch_add(1, std::memory_order_relaxed);
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  if (state % 8 == 0) std::this_thread::yield();
}

template <class T>
class ShakyAtomic {
 public:
  ShakyAtomic() noexcept = default;
  constexpr ShakyAtomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    shake();
    return value_.load(order);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    value_.store(value, order);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    return value_.exchange(value, order);
  }
  template <class... Orders>
  bool compare_exchange_weak(T& expected, T desired, Orders... orders) noexcept {
    shake();
    return value_.compare_exchange_weak(expected, desired, orders...);
  }
  template <class... Orders>
  bool compare_exchange_strong(T& expected, T desired, Orders... orders) noexcept {
    shake();
    return value_.compare_exchange_strong(expected, desired, orders...);
  }
  T fetch_add(T n, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    return value_.fetch_add(n, order);
  }
  T fetch_sub(T n, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    return value_.fetch_sub(n, order);
  }
  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    return value_.fetch_or(bits, order);
  }
  T fetch_and(T bits, std::memory_order order = std::memory_order_seq_cst) noexcept {
    shake();
    return value_.fetch_and(bits, order);
  }

 private:
  std::atomic<T> value_;
};

/// Real threads whose every atomic operation may be preceded by a change of threads. The very same
/// code of the library, in orders that it would otherwise meet once in a million runs.
struct ShakySync : xofn::StdSync {
  template <class T>
  using atomic = ShakyAtomic<T>;
};

}  // namespace support
