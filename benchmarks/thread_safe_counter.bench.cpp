// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <xofn/cache_line.hpp>
#include <xofn/sync.hpp>
#include <xofn/thread_safe_counter.hpp>

namespace {

/// The floor of an exact count: what the hardware takes for it.
struct BareAtomic {
  alignas(xofn::cache_line_size) std::atomic<std::int64_t> value{0};
  void increment() { value.fetch_add(1); }
};

/// The floor of a count under a lock.
struct BareMutex {
  alignas(xofn::cache_line_size) std::mutex mutex;
  std::int64_t value = 0;
  void increment() {
    const std::lock_guard guard(mutex);
    ++value;
  }
};

/// All threads increment one counter.
template <class Counter>
void increments(benchmark::State& state) {
  static Counter counter;
  for (auto _ : state) counter.increment();
}

void one_to_twice_the_cores(benchmark::internal::Benchmark* benchmark) {
  const auto cores = static_cast<int>(xofn::StdSync::hardware_threads());
  benchmark->ThreadRange(1, 2 * cores)->UseRealTime();
}

BENCHMARK(increments<BareAtomic>)->Name("counter/bare atomic")->Apply(one_to_twice_the_cores);
BENCHMARK(increments<xofn::AtomicCounter>)->Name("counter/atomic")->Apply(one_to_twice_the_cores);
BENCHMARK(increments<BareMutex>)->Name("counter/bare mutex")->Apply(one_to_twice_the_cores);
BENCHMARK(increments<xofn::MutexCounter>)->Name("counter/mutex")->Apply(one_to_twice_the_cores);
BENCHMARK(increments<xofn::ShardedCounter>)->Name("counter/sharded")->Apply(one_to_twice_the_cores);

}  // namespace
