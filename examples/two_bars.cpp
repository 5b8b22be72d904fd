// SPDX-License-Identifier: MIT
// Two batches at once: a bar each, with the item that has been running longest, and lines above.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/console/progress_bars.hpp>
#include <xofn/console/watch.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

struct File {
  std::string name;
  std::uint64_t size;
};

int main() {
  std::vector<File> films;
  for (int i = 1; i <= 10; ++i) films.push_back({"film " + std::to_string(i) + ".mp4", 5ULL << 28});
  std::vector<File> songs;
  for (int i = 1; i <= 24; ++i) songs.push_back({"song " + std::to_string(i) + ".ogg", 5ULL << 20});

  xofn::ThreadPool pool{4};
  xofn::BatchProcessor<File> renderer{pool, {.max_workers = 2}};
  xofn::BatchProcessor<File> packer{pool, {.max_workers = 2}};
  packer.weigh_by([](const File& file) { return file.size; });

  xofn::ProgressBars bars{std::cerr};
  const auto name = [](const File& file) { return file.name; };
  xofn::watch(renderer, bars.add("rendering"), name);
  xofn::watch(packer, bars.add("packing", xofn::BarUnit::bytes), name);

  xofn::Batch<void> rendering = renderer.start(std::move(films), [&](const File& film) {
    std::this_thread::sleep_for(20ms);
    if (film.name == "film 4.mp4") bars.println(film.name + " has no sound");
  });
  xofn::Batch<void> packing =
      packer.start(std::move(songs), [](const File&) { std::this_thread::sleep_for(10ms); });
  const bool is_rendered = rendering.wait().all_succeeded();
  const bool is_packed = packing.wait().all_succeeded();
  return is_rendered && is_packed ? 0 : 1;
}
