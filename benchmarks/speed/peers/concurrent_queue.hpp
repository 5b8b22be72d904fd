// SPDX-License-Identifier: MIT
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <cstddef>
#include <numeric>
#include <thread>
#include <vector>

namespace speed {

/// moodycamel's ConcurrentQueue, which is filled at once, with plain threads that empty it.
class ConcurrentQueue {
 public:
  static constexpr const char* name = "moodycamel + threads";

  explicit ConcurrentQueue(unsigned threads) : threads_(threads) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
    std::vector<std::size_t> all(count);
    std::iota(all.begin(), all.end(), std::size_t{0});
    moodycamel::ConcurrentQueue<std::size_t> queue(count);
    queue.enqueue_bulk(all.begin(), count);
    const auto empty_queue = [&] {
      moodycamel::ConsumerToken token(queue);
      for (std::size_t i = 0; queue.try_dequeue(token, i);) item(i);
    };
    std::vector<std::thread> others;
    for (unsigned t = 1; t < threads_; ++t) others.emplace_back(empty_queue);
    empty_queue();
    for (std::thread& other : others) other.join();
  }

 private:
  unsigned threads_;
};

}  // namespace speed
