// SPDX-License-Identifier: MIT
#pragma once

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <cstddef>

namespace speed {

/// oneTBB's `task_group`, a task an item.
class TbbTaskGroup {
 public:
  static constexpr const char* name = "oneTBB task_group";

  explicit TbbTaskGroup(unsigned threads) : arena_(static_cast<int>(threads)) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
    arena_.execute([&] {
      tbb::task_group tasks;
      for (std::size_t i = 0; i != count; ++i) tasks.run([&item, i] { item(i); });
      tasks.wait();
    });
  }

 private:
  tbb::task_arena arena_;
};

}  // namespace speed
