// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/sync.hpp>

// What an item of a batch costs that does nothing itself, by how it is told.

namespace {

using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::Progress;

constexpr std::size_t items = 1'000'000;

std::vector<std::uint32_t>& tasks() {
  static std::vector<std::uint32_t> tasks(items);
  return tasks;
}

void do_nothing(std::uint32_t& task) { benchmark::DoNotOptimize(task); }

/// A callback that costs next to nothing, and cannot be left out.
void look_at(const Progress& progress) { benchmark::DoNotOptimize(progress.completed()); }

template <class Set>
void batch(benchmark::State& state, Set set_callbacks) {
  BatchProcessor<std::uint32_t> processor;
  set_callbacks(processor);
  while (state.KeepRunningBatch(items)) processor.run(tasks(), do_nothing);
}

/// The floor: one thread, and the callback as most would store it.
void serial_loop(benchmark::State& state) {
  const std::function<void(const Progress&)> callback = look_at;
  while (state.KeepRunningBatch(items)) {
    Progress progress{.total = items};
    for (std::uint32_t& task : tasks()) {
      do_nothing(task);
      ++progress.succeeded;
      callback(progress);
    }
  }
}

/// What one would write instead, and be right: count and tell under one lock.
void mutex_loop(benchmark::State& state) {
  const std::function<void(const Progress&)> callback = look_at;
  while (state.KeepRunningBatch(items)) {
    Progress progress{.total = items};
    std::mutex mutex;
    const unsigned workers = xofn::StdSync::hardware_threads();
    std::vector<std::thread> threads;
    for (unsigned w = 0; w != workers; ++w) {
      threads.emplace_back([&, w] {
        for (std::size_t i = w; i < items; i += workers) {
          do_nothing(tasks()[i]);
          const std::lock_guard guard(mutex);
          ++progress.succeeded;
          callback(progress);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

void report(benchmark::internal::Benchmark* benchmark) {
  benchmark->UseRealTime()->Unit(benchmark::kNanosecond);
}

BENCHMARK(serial_loop)->Name("progress/serial loop")->Apply(report);
BENCHMARK(mutex_loop)->Name("progress/mutex around both")->Apply(report);
BENCHMARK_CAPTURE(batch, none, [](auto&) {}) -> Name("progress/no callback") -> Apply(report);
BENCHMARK_CAPTURE(batch, every, [](auto& p) { p.on_progress(look_at); }) -> Name("progress/every")
    -> Apply(report);
BENCHMARK_CAPTURE(batch, latest, [](auto& p) { p.on_progress(look_at, Delivery::latest()); })
    -> Name("progress/latest") -> Apply(report);
BENCHMARK_CAPTURE(batch, every_on_caller, [](auto& p) {
  p.on_progress(look_at, Delivery::every().on_caller());
}) -> Name("progress/every on caller") -> Apply(report);
BENCHMARK_CAPTURE(batch, latest_on_caller, [](auto& p) {
  p.on_progress(look_at, Delivery::latest().on_caller());
}) -> Name("progress/latest on caller") -> Apply(report);
BENCHMARK_CAPTURE(batch, completion, [](auto& p) {
  p.on_completion([](const auto& c) { look_at(c.progress); });
}) -> Name("progress/completion") -> Apply(report);

}  // namespace
