// SPDX-License-Identifier: MIT
#include <chrono>
#include <vector>
#include <xofn/publish/redis.hpp>
#include <xofn/xofn.hpp>

int main() {
  const xofn::RedisChannel channel{{.port = 1, .name = "clips", .linger = {}}};
  xofn::BatchProcessor<int> processor;
  processor.on_progress(channel, xofn::Delivery::latest());
  return processor.run(std::vector{1, 2, 3}, [](int) {}).all_succeeded() ? 0 : 1;
}
