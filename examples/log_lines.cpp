// SPDX-License-Identifier: MIT
// A batch that writes down what happens, as lines of JSON: on the screen or, if it is named, at the
// end of a file.
//
//     log_lines clips.jsonl && grep item_failed clips.jsonl
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <xofn/publish/json_lines.hpp>
#include <xofn/publish/log.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const std::vector<std::string> videos{"city.mp4", "long.mp4", "sea.mp4", "tree.mp4"};
  const auto render = [](const std::string& video) {
    std::this_thread::sleep_for(10ms);
    if (video == "long.mp4") throw std::runtime_error("no codec");
  };
  const char* const file = argc > 1 ? argv[1] : "/dev/stdout";

  xofn::BatchProcessor<std::string> processor{{.retry = {.max_attempts = 2, .backoff = 20ms}}};
  xofn::Log log{xofn::JsonLines{file}};
  xofn::log_to(processor, log, "clips", [](const std::string& video) { return video; });
  processor.run(videos, render);
  if (!log.flush(2s) || log.lost_lines() != 0) std::cerr << log.error() << '\n';
}
