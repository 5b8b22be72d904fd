// SPDX-License-Identifier: MIT
#pragma once

#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>

#include <cstddef>

namespace speed {

/// oneTBB's `parallel_pipeline`, whose serial sink needs no lock to count and tell.
class TbbPipeline {
 public:
  static constexpr const char* name = "oneTBB pipeline";

  explicit TbbPipeline(unsigned threads) : threads_(threads), arena_(static_cast<int>(threads)) {}

  template <class Item, class Told>
  void run_and_tell(std::size_t count, const Item& item, const Told& told) {
    std::size_t next = 0;
    const auto source = [&](tbb::flow_control& control) {
      if (next == count) control.stop();
      return next == count ? next : next++;
    };
    const auto run = [&](std::size_t i) {
      item(i);
      return i;
    };
    arena_.execute([&] {
      tbb::parallel_pipeline(
          tokens_a_thread * threads_,
          tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, source) &
              tbb::make_filter<std::size_t, std::size_t>(tbb::filter_mode::parallel, run) &
              tbb::make_filter<std::size_t, void>(tbb::filter_mode::serial_out_of_order, told));
    });
  }

 private:
  static constexpr std::size_t tokens_a_thread = 16;

  unsigned threads_;
  tbb::task_arena arena_;
};

}  // namespace speed
