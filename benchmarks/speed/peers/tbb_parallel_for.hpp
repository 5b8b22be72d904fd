// SPDX-License-Identifier: MIT
#pragma once

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <cstddef>

namespace speed {

/// oneTBB's `parallel_for`, with its own partitioner.
class TbbParallelFor {
 public:
  static constexpr const char* name = "oneTBB parallel_for";

  explicit TbbParallelFor(unsigned threads) : arena_(static_cast<int>(threads)) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
    arena_.execute([&] { tbb::parallel_for(std::size_t{0}, count, item); });
  }

 private:
  tbb::task_arena arena_;
};

}  // namespace speed
