// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace speed {

using std::chrono::nanoseconds;

/// Has the compiler believe that the value is used.
template <class T>
void keep(const T& value) noexcept {
  asm volatile("" : : "r,m"(value));
}

/// Work that looks at no clock: a chain of so many multiplications, which goes on where the
/// thread's last one ended. Else a processor would run the end of one item and the beginning of the
/// next at the same time wherever nothing lies between them, and an item of 100 ns would take 50.
inline void work(std::uint32_t steps) noexcept {
  thread_local std::uint64_t x = 1;
  for (; steps != 0; --steps) {
    x = x * 6364136223846793005U + 1;
    asm volatile("" : "+r"(x));
  }
}

/// How many steps take so long. Calibrated once, on first use, by the fastest of many runs.
std::uint32_t steps(nanoseconds time);

/// "10 us"
std::string to_text(nanoseconds time);

/// A batch to be run: how many steps of work each item is.
struct Load {
  nanoseconds each;  ///< of an item, or their mean
  std::vector<std::uint32_t> items;

  static Load uniform(nanoseconds each, std::size_t count);
  /// 1 % of the items are 1000 times as long as the others; the same ones each time.
  static Load mixed(nanoseconds each, std::size_t count);
  /// Short items, and then long ones.
  static Load short_then_long(std::size_t short_count, nanoseconds short_each,
                              std::size_t long_count, nanoseconds long_each);

  [[nodiscard]] std::size_t size() const noexcept { return items.size(); }
};

/// Items that do something, and how many of them make a batch of some milliseconds.
struct ItemSize {
  nanoseconds each;
  std::size_t items;
};
inline constexpr ItemSize item_sizes[] = {
    {nanoseconds{100}, 200'000},
    {std::chrono::microseconds{1}, 20'000},
    {std::chrono::microseconds{10}, 2'000},
    {std::chrono::milliseconds{1}, 40},
};

}  // namespace speed
