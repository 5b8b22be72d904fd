// SPDX-License-Identifier: MIT
// Ways to show X of N, each on the threads of several libraries, under xofn's contract checker. Put
// a pool of your own into `libraries`, or a way of yours into `ways`, and see what it breaks.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <mutex>
#include <vector>
#include <xofn/progress_tracker.hpp>
#include <xofn/testing/contract_checker.hpp>
#if CHECK_OPENMP
#include <omp.h>
#endif
#if CHECK_TBB
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#endif
#if CHECK_BOOST
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#endif

constexpr int item_count = 500'000;
constexpr int threads = 4;

using Item = std::function<void(int)>;
using Library = void (*)(const Item& item);  // runs item(0) to item(item_count - 1) on its threads

void with_async(const Item& item) {
  std::vector<std::future<void>> parts;
  for (int part = 0; part < threads; ++part) {
    parts.push_back(std::async(std::launch::async, [&item, part] {
      for (int i = part; i < item_count; i += threads) item(i);
    }));
  }
  for (std::future<void>& part : parts) part.get();
}

#if CHECK_OPENMP
void with_openmp(const Item& item) {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int i = 0; i < item_count; ++i) item(i);
}
#endif

#if CHECK_TBB
void with_tbb(const Item& item) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::parallel_for(0, item_count, item);
}
#endif

#if CHECK_BOOST
void with_asio(const Item& item) {
  boost::asio::thread_pool pool(threads);
  for (int i = 0; i < item_count; ++i) boost::asio::post(pool, [&item, i] { item(i); });
  pool.join();
}
#endif

/// One item: up to 200 ns of work.
void work(int item) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds{item % 200};
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// What is done with X and N: a line of text, as a display would make it.
void show(int completed, int of) {
  thread_local char text[32];
  std::snprintf(text, sizeof text, "%d/%d", completed, of);
}

void plain_counter(Library run, xofn::ContractChecker& checker) {
  std::atomic<int> completed{0};
  auto display = checker.around(show);
  run([&](int i) {
    work(i);
    // relaxed: a load and a store apart, which is what ++ on a plain int comes to; on a plain int
    // itself they would be undefined behaviour
    const int now = completed.load(std::memory_order_relaxed) + 1;
    completed.store(now, std::memory_order_relaxed);
    display(now, item_count);
  });
}

void atomic_counter(Library run, xofn::ContractChecker& checker) {
  std::atomic<int> completed{0};
  auto display = checker.around(show);
  run([&](int i) {
    work(i);
    display(++completed, item_count);
  });
}

void mutex_around_callback(Library run, xofn::ContractChecker& checker) {
  std::atomic<int> completed{0};
  std::mutex mutex;
  auto display = checker.around(show);
  run([&](int i) {
    work(i);
    const int now = ++completed;
    const std::lock_guard lock(mutex);
    display(now, item_count);
  });
}

void mutex_around_both(Library run, xofn::ContractChecker& checker) {
  int completed = 0;
  std::mutex mutex;
  auto display = checker.around(show);
  run([&](int i) {
    work(i);
    const std::lock_guard lock(mutex);
    display(++completed, item_count);
  });
}

void tracker_of_xofn(Library run, xofn::ContractChecker& checker) {
  xofn::ProgressTracker tracker{item_count};
  tracker.on_progress(checker.around(
      [](const xofn::Progress& now) { show(static_cast<int>(now.completed()), item_count); }));
  run([&](int i) {
    work(i);
    tracker.succeed();
  });
  tracker.wait();
}

int main() {
  static constexpr struct {
    const char* name;
    Library run;
  } libraries[] = {
#if CHECK_OPENMP
    {"OpenMP", with_openmp},
#endif
#if CHECK_TBB
    {"oneTBB", with_tbb},
#endif
#if CHECK_BOOST
    {"Boost.Asio", with_asio},
#endif
    {"std::async", with_async}
  };
  static constexpr struct {
    const char* name;
    void (*run)(Library, xofn::ContractChecker&);
    bool must_be_right;
  } ways[] = {{"a plain counter", plain_counter, false},
              {"an atomic counter", atomic_counter, false},
              {"a mutex around the callback", mutex_around_callback, false},
              {"a mutex around both", mutex_around_both, true},
              {"xofn's tracker", tracker_of_xofn, true}};
  std::printf("%d items on %d threads: what is wrong with X/N\n\n", item_count, threads);
  std::printf("%-29s%-11s%7s%10s%10s%13s  %s\n", "X/N by", "threads of", "lost", "repeated",
              "backward", "overlapping", "at the end");
  bool is_right = true;
  for (const auto& way : ways) {
    for (const auto& library : libraries) {
      using xofn::Breach;
      xofn::ContractChecker checker;
      way.run(library.run, checker);
      checker.ended();
      const auto count = [&](Breach breach) { return static_cast<long>(checker.count(breach)); };
      std::printf(
          "%-29s%-11s%7ld%10ld%10ld%13ld  %s%s\n", way.name, library.name, count(Breach::lost),
          count(Breach::repeated), count(Breach::backward), count(Breach::overlapping),
          count(Breach::never_complete) > 0 ? "never N/N" : "N/N", checker.ok() ? ", right" : "");
      std::fflush(stdout);
      is_right = is_right && (checker.ok() || !way.must_be_right);
    }
  }
  return is_right ? 0 : 1;
}
