// SPDX-License-Identifier: MIT
// One batch of short items, and its X/N shown in four ways. The three that come to mind first show
// numbers that are wrong: how many, is counted while it happens.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/testing/contract_checker.hpp>

constexpr int total = 1'000'000;
constexpr int worker_limit = 4;

/// What somebody looks at. All is well if it shows 1, 2, ..., N, each one step after the one
/// before.
class Display {
 public:
  void show(int completed) {
    thread_local char text[32];
    std::snprintf(text, sizeof text, "%d/%d", completed, total);  // while others count on
    shown_ = completed;                                           // now it can be seen
    checker_(completed, total);
  }

  void print(const char* way, char end) const {
    using xofn::Breach;
    const auto count = [&](Breach breach) { return static_cast<long>(checker_.count(breach)); };
    std::printf("%-28s%8ld%10ld%10ld%11d/%d%c", way, count(Breach::lost), count(Breach::repeated),
                count(Breach::backward), shown_.load(), total, end);
    std::fflush(stdout);
  }

  void ended() { checker_.ended(); }

  [[nodiscard]] bool is_right() const { return checker_.ok(); }

 private:
  std::atomic<int> shown_{0};
  xofn::ContractChecker checker_;
};

/// One item: up to 200 ns of work.
void work(int item) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds{item % 200};
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// What everybody writes first: threads that take items, and say when one is done.
template <class OnCompletion>
void run(OnCompletion on_completion) {
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < worker_limit; ++i) {
    threads.emplace_back([&] {
      for (int item = 0; (item = next++) < total;) {
        work(item);
        on_completion();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void plain_counter(Display& display) {
  std::atomic<int> completed{0};
  run([&] {
    // relaxed: a load and a store apart, which is what ++ on a plain int comes to; on a plain int
    // itself they would be undefined behaviour
    const int now = completed.load(std::memory_order_relaxed) + 1;
    completed.store(now, std::memory_order_relaxed);
    display.show(now);
  });
}

void atomic_counter(Display& display) {
  std::atomic<int> completed{0};
  run([&] { display.show(++completed); });
}

void mutex_around_callback(Display& display) {
  std::atomic<int> completed{0};
  std::mutex mutex;
  run([&] {
    const int now = ++completed;
    const std::lock_guard lock(mutex);
    display.show(now);
  });
}

void every_step_by_xofn(Display& display) {
  std::vector<int> items(total);
  std::iota(items.begin(), items.end(), 0);
  xofn::BatchProcessor<int> processor{{.max_workers = worker_limit}};
  processor.on_progress(
      [&](const xofn::Progress& now) { display.show(static_cast<int>(now.completed())); });
  processor.run(items, work);
}

int main() {
  static constexpr struct {
    const char* name;
    void (*run)(Display&);
  } ways[] = {{"a plain counter", plain_counter},
              {"an atomic counter", atomic_counter},
              {"a mutex around the callback", mutex_around_callback},
              {"xofn", every_step_by_xofn}};
  std::printf("%d items on %d threads: how often X/N went wrong\n\n%-28s%8s%10s%10s%19s\n", total,
              worker_limit, "X/N by", "lost", "repeated", "backward", "shown at the end");
  bool is_right = false;
  for (const auto& way : ways) {
    Display display;
    const auto running = std::async(std::launch::async, way.run, std::ref(display));
    while (running.wait_for(std::chrono::milliseconds{50}) != std::future_status::ready) {
      if (isatty(STDOUT_FILENO) == 1) display.print(way.name, '\r');
    }
    display.ended();
    display.print(way.name, '\n');
    is_right = display.is_right();
  }
  return is_right ? 0 : 1;  // of the last: xofn
}
