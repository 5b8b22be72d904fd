// SPDX-License-Identifier: MIT
// Who is running: what takes longest, told by what has begun and not completed.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

int main() {
  const std::vector<std::string> videos{"short.mp4", "long.mp4", "clip.mp4", "trailer.mp4"};
  std::mutex mutex;
  std::map<std::uint64_t, std::string> running;  // by the order of submission

  xofn::BatchProcessor<std::string> processor{{.max_workers = 2, .name = "videos"}};
  processor.on_start([&](const xofn::Start<std::string>& s) {
    const std::lock_guard lock(mutex);
    running[s.index] = s.task;
  });
  processor.on_completion([&](const xofn::Completion<std::string>& c) {
    const std::lock_guard lock(mutex);
    running.erase(c.index);
    std::cout << c.progress << ' ' << c.task;
    if (!running.empty()) std::cout << ", the longest running: " << running.begin()->second;
    std::cout << '\n';
  });
  const auto report = processor.run(videos, [](const std::string& video) {
    std::this_thread::sleep_for(video == "long.mp4" ? 100ms : 10ms);
  });
  return report.all_succeeded() && running.empty() ? 0 : 1;
}
