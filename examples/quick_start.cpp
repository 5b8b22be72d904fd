// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/console/progress_bar.hpp>
#include <xofn/testing/contract_checker.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

struct Video {
  std::string name;
};

struct Clip {
  std::string name;
};

Clip render(const Video& video) {
  std::this_thread::sleep_for(20ms);
  if (video.name == "broken.mp4") throw std::runtime_error(video.name + ": no such codec");
  return {video.name + ".webm"};
}

std::vector<Video> find_videos() {
  std::vector<Video> videos;
  for (int i = 1; i <= 9; ++i) videos.push_back({std::to_string(i) + ".mp4"});
  videos.insert(videos.begin() + 3, {"broken.mp4"});
  return videos;
}

void run_a_batch() {
  std::vector<Video> videos = find_videos();

  xofn::BatchProcessor<Video> processor{{.max_workers = 4}};
  processor.on_progress([](const xofn::Progress& p) { std::cout << p << '\n'; });

  xofn::BatchReport<Clip> report = processor.run(videos, render);
  for (const xofn::Failure& f : report.failures()) std::cout << f.what() << '\n';
}

void watch_a_batch() {
  xofn::BatchProcessor<Video> processor;
  processor.on_progress(xofn::ProgressBar{std::cerr, "rendering"}, xofn::Delivery::latest())
      .on_completion([](const xofn::Completion<Video>& c) {
        std::cout << c.progress << ' ' << c.task.name << (c.succeeded() ? "\n" : " failed\n");
      });

  xofn::Batch<Clip> batch = processor.start(find_videos(), render);
  if (batch.progress().failed > 3) batch.cancel();
  xofn::BatchReport<Clip> report = batch.wait();
  for (Clip& clip : report.values()) std::cout << clip.name << '\n';
}

void track_threads_of_our_own() {
  const std::vector<Video> videos = find_videos();

  xofn::ProgressTracker tracker{videos.size()};
  tracker.on_progress([](const xofn::Progress& p) { std::cout << p << '\n'; });
  std::vector<std::thread> threads;
  for (const Video& video : videos) {
    threads.emplace_back([&] { video.name == "broken.mp4" ? tracker.fail() : tracker.succeed(); });
  }
  tracker.wait();

  for (std::thread& thread : threads) thread.join();
}

void count() {
  xofn::AtomicCounter rendered;
  std::thread worker([&] {
    for (int i = 0; i < 3; ++i) rendered.increment();
  });
  rendered.wait(3);
  std::cout << rendered.value() << " rendered\n";
  worker.join();
}

void check_a_reporter() {
  xofn::ContractChecker checker;
  std::atomic<int> completed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i) threads.emplace_back([&] { checker(++completed, 10); });
  for (std::thread& thread : threads) thread.join();
  checker.ended();
  std::cout << checker << '\n';
}

int main() {
  run_a_batch();
  watch_a_batch();
  track_threads_of_our_own();
  count();
  check_a_reporter();
}
