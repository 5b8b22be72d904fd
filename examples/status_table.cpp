// SPDX-License-Identifier: MIT
// A batch that others can look up in a table, with a row for each item. By default in a file:
//
//     sqlite3 clips.db "select completed, total, state from xofn_batches"
//     sqlite3 clips.db "select name, error from xofn_items where state = 'failed'"
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <xofn/publish/status_table.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const std::string database = argc > 1 ? argv[1] : "sqlite3://clips.db";
  const std::vector<std::string> videos{"beach.mp4", "broken.mp4", "dinner.mp4", "sunset.mp4"};
  const auto render = [](const std::string& video) {
    std::this_thread::sleep_for(20ms);
    if (video == "broken.mp4") throw std::runtime_error("no such codec");
  };

  xofn::BatchProcessor<std::string> processor{{.max_workers = 2}};
  const xofn::StatusTable table{{.database = database, .name = "clips"}};
  watch(processor, table, [](const std::string& video) { return video; });
  const xofn::BatchReport<void> report = processor.run(videos, render);
  if (!table.flush(2s)) std::cout << table.error() << '\n';
  return report.progress().failed == 1 ? 0 : 1;
}
