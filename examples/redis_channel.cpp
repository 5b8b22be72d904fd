// SPDX-License-Identifier: MIT
// A batch that others can watch in Redis. Where there is no server it runs as well.
//
//     redis-cli subscribe xofn:clips      # each change
//     redis-cli hgetall xofn:clips        # the state now
#include <chrono>
#include <iostream>
#include <string>
#include <thread>
#include <vector>
#include <xofn/publish/redis.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::stoi(argv[1]) : 6379;
  const std::vector<std::string> videos(20, "holiday.mp4");
  const auto render = [](const std::string&) { std::this_thread::sleep_for(20ms); };

  xofn::BatchProcessor<std::string> processor{{.max_workers = 4}};
  const xofn::RedisChannel channel{{.host = "127.0.0.1", .port = port, .name = "clips"}};
  processor.on_progress(channel, xofn::Delivery::latest());
  const xofn::BatchReport<void> report = processor.run(videos, render);
  if (!channel.flush(2s)) std::cout << channel.error() << '\n';
  return report.all_succeeded() ? 0 : 1;
}
