// SPDX-License-Identifier: MIT
#include <vector>
#include <xofn/executors/asio_pool.hpp>
#include <xofn/executors/tbb_arena.hpp>
#include <xofn/xofn.hpp>

namespace {

bool runs_on(auto& executor) {
  xofn::BatchProcessor<int> processor{executor, {.max_workers = 2}};
  return processor.start(std::vector{1, 2, 3}, [](int) {}).wait().all_succeeded();
}

}  // namespace

int main() {
  boost::asio::thread_pool pool{2};
  xofn::AsioPool asio{pool};
  tbb::task_arena arena{2, 0};
  xofn::TbbArena tbb{arena};
  return runs_on(asio) && runs_on(tbb) ? 0 : 1;
}
