// SPDX-License-Identifier: MIT
// Batches on threads that are somebody else's: of oneTBB, of Boost.Asio, or none at all.
#include <cstdio>
#include <numeric>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/executors/inline_executor.hpp>
#if WITH_ASIO
#include <xofn/executors/asio_pool.hpp>
#endif
#if WITH_TBB
#include <xofn/executors/tbb_arena.hpp>
#endif

/// The sum of the squares of 1 to 100, on the threads of `executor`.
int sum_of_squares(auto& executor) {
  std::vector<int> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 1);
  xofn::BatchProcessor<int> processor{executor, {.max_workers = 4}};
  const auto batch = processor.run(numbers, [](int n) { return n * n; });
  int sum = 0;
  for (const int square : batch.values()) sum += square;
  return sum;
}

int main() {
  xofn::InlineExecutor here;
  std::printf("here: %d\n", sum_of_squares(here));
#if WITH_ASIO
  boost::asio::thread_pool pool{4};
  xofn::AsioPool asio{pool};
  std::printf("Boost.Asio: %d\n", sum_of_squares(asio));
#endif
#if WITH_TBB
  tbb::task_arena arena{4, 0};
  xofn::TbbArena tbb{arena};
  std::printf("oneTBB: %d\n", sum_of_squares(tbb));
#endif
}
