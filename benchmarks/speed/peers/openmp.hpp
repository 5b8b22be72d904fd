// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace speed {

/// An OpenMP loop with `schedule(dynamic, chunk)`.
template <int chunk>
class OpenMp {
 public:
  static constexpr const char* name = chunk == 1    ? "OpenMP dynamic,1"
                                      : chunk == 64 ? "OpenMP dynamic,64"
                                                    : "OpenMP dynamic";

  explicit OpenMp(unsigned threads) : threads_(static_cast<int>(threads)) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
#pragma omp parallel for schedule(dynamic, chunk) num_threads(threads_)
    for (std::size_t i = 0; i < count; ++i) item(i);
  }

 private:
  int threads_;
};

}  // namespace speed
