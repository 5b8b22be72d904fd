// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "life.hpp"
#include "memory.hpp"
#include "sanitizers.hpp"
#include "scheduler.hpp"

namespace schedules {

/// std::atomic, each operation of which is a point where another thread may go first. The real
/// operation is made with the order given, so that the thread sanitizer sees it; with weak memory
/// it is the model that says what is read.
template <class T>
class ScheduledAtomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  using Order = std::memory_order;
  static constexpr Order seq_cst = std::memory_order_seq_cst;

 public:
  ScheduledAtomic() noexcept : value_(T{}) {}
  ScheduledAtomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
  ScheduledAtomic(const ScheduledAtomic&) = delete;
  ScheduledAtomic& operator=(const ScheduledAtomic&) = delete;

  T load(Order order = seq_cst) const noexcept {
    point("load");
    if (!weak()) return value_.load(order);
    return read(choose(order), order);
  }

  void store(T value, Order order = seq_cst) noexcept {
    point("store");
    if (weak()) memory().store(view(), location(), to_bits(value), order);
    value_.store(value, order);
  }

  T exchange(T value, Order order = seq_cst) noexcept {
    return modify("exchange", order, [&](T) { return value; });
  }
  T fetch_add(T n, Order order = seq_cst) noexcept {
    return modify("fetch_add", order, [&](T old) { return static_cast<T>(old + n); });
  }
  T fetch_sub(T n, Order order = seq_cst) noexcept {
    return modify("fetch_sub", order, [&](T old) { return static_cast<T>(old - n); });
  }
  T fetch_or(T bits, Order order = seq_cst) noexcept {
    return modify("fetch_or", order, [&](T old) { return static_cast<T>(old | bits); });
  }
  T fetch_and(T bits, Order order = seq_cst) noexcept {
    return modify("fetch_and", order, [&](T old) { return static_cast<T>(old & bits); });
  }

  bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) noexcept {
    point("compare_exchange");
    if (!weak()) return value_.compare_exchange_strong(expected, desired, success, failure);
    return compare_exchange(expected, desired, success, failure, false);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, order, on_failure(order));
  }
  bool compare_exchange_weak(T& expected, T desired, Order success, Order failure) noexcept {
    point("compare_exchange");
    if (!weak()) return value_.compare_exchange_strong(expected, desired, success, failure);
    return compare_exchange(expected, desired, success, failure, true);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = seq_cst) noexcept {
    return compare_exchange_weak(expected, desired, order, on_failure(order));
  }

 private:
  static constexpr Order on_failure(Order order) {
    if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
    return order == std::memory_order_release ? std::memory_order_relaxed : order;
  }

  static std::uint64_t to_bits(T value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  static T from_bits(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  static Scheduler& scheduler() { return Scheduler::instance(); }
  static bool weak() { return scheduler().is_running() && scheduler().has_weak_memory(); }
  static Memory& memory() { return scheduler().memory(); }
  static View& view() { return scheduler().view(); }

  void point(const char* operation) const {
    life_.check();
    scheduler().point(operation, this);
    life_.check();
  }

  std::uint32_t location() const {
    return memory().locate(place_, to_bits(value_.load(std::memory_order_relaxed)));
  }

  [[nodiscard]] std::size_t choose(Order order) const {
    return scheduler().choose(memory().choices(view(), location(), order), 1);
  }
  T read(std::size_t age, Order order) const {
    return from_bits(memory().load(view(), location(), age, order));
  }

  /// Besides what a strong one does it may read an old value, or fail for no reason.
  bool compare_exchange(T& expected, T desired, Order success, Order failure, bool may_fail) {
    // Way 0 looks at the newest value; the last fails though that value is as expected.
    const std::size_t values = memory().choices(view(), location(), failure);
    const bool as_expected = memory().peek(location(), 0) == to_bits(expected);
    const std::size_t way = scheduler().choose(values + (may_fail && as_expected ? 1 : 0), 1);
    const std::size_t age = way < values ? way : 0;
    const bool is_equal = memory().peek(location(), age) == to_bits(expected);
    if (way == 0 && as_expected) {
      memory().modify(view(), location(), to_bits(desired), success);
      value_.store(desired, std::memory_order_relaxed);
      return true;
    }
    // An old value that is as expected cannot have been read: the newest is, for no reason.
    expected = read(is_equal ? 0 : age, failure);
    return false;
  }

  template <class Change>
  T modify(const char* operation, Order order, Change change) {
    point(operation);
    if (!weak()) {
      T old = value_.load(std::memory_order_relaxed);
      while (!value_.compare_exchange_strong(old, change(old), order, std::memory_order_relaxed)) {
      }
      return old;
    }
    const T old = from_bits(memory().peek(location(), 0));
    memory().modify(view(), location(), to_bits(change(old)), order);
    value_.store(change(old), std::memory_order_relaxed);
    return old;
  }

  std::atomic<T> value_;
  mutable Memory::Place place_;
  Life life_;
};

}  // namespace schedules
