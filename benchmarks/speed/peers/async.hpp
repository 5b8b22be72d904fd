// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <future>
#include <vector>

namespace speed {

/// `std::async`, an item each: a thread each, so only for few of them.
class Async {
 public:
  static constexpr const char* name = "std::async";
  static constexpr std::size_t most_items = 2'000;

  explicit Async(unsigned /*threads*/) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
    std::vector<std::future<void>> items;
    items.reserve(count);
    for (std::size_t i = 0; i != count; ++i) {
      items.push_back(std::async(std::launch::async, [&item, i] { item(i); }));
    }
    for (std::future<void>& one : items) one.get();
  }
};

}  // namespace speed
