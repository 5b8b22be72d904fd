// SPDX-License-Identifier: MIT
// A program to be run by callgrind, which writes a file for each of its parts; their names are
// printed, and check.sh makes a table of both. There is one worker, the calling thread.
#include <valgrind/callgrind.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>
#include <xofn/thread_safe_counter.hpp>

#include "made_up_time.hpp"

namespace {

using instructions::MadeUpTime;
using Processor = xofn::BatchProcessor<std::int64_t, MadeUpTime>;

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value));
}

// The callbacks.
constexpr auto look_at = [](const xofn::Progress& progress) { keep(progress.completed()); };
constexpr auto look_at_both = [](const auto& completion) {
  keep(completion.index);
  look_at(completion.progress);
};

/// Has what `run(count)` takes written, for so many items and for twice as many: the difference is
/// what items take.
template <class Run>
void measure(const std::string& name, Run run) {
  constexpr std::size_t items = 10'000;
  for (const std::size_t count : {items, 2 * items}) {
    CALLGRIND_ZERO_STATS;
    run(count);
    CALLGRIND_DUMP_STATS;
    std::cout << name << ' ' << count << '\n';
  }
}

/// Batches of items that each take so long, by the time that is made up.
template <class Handler, class Set>
void measure_batch(const std::string& name, std::int64_t item_ns, Handler handler, Set set) {
  Processor processor{{.max_workers = 1}};
  set(processor);
  std::vector<std::int64_t> tasks(20'000, item_ns);
  measure(name, [&](std::size_t count) {
    tasks.resize(count, item_ns);
    processor.run(tasks, handler);
  });
}

void measure_batches(const std::string& items, std::int64_t item_ns) {
  const auto pass_time = [](std::int64_t& ns) { MadeUpTime::nanoseconds += ns; };
  const auto with_value = [](std::int64_t& ns) { return MadeUpTime::nanoseconds += ns; };
  const auto nobody = [](Processor&) {};
  const auto every = [](Processor& p) { p.on_progress(look_at); };
  const auto completion = [](Processor& p) { p.on_completion(look_at_both); };
  measure_batch(items + ", nobody told", item_ns, pass_time, nobody);
  measure_batch(items + " with a result, nobody told", item_ns, with_value, nobody);
  measure_batch(items + ", every() told", item_ns, pass_time, every);
  measure_batch(items + ", on_completion told", item_ns, pass_time, completion);
}

template <class Counter>
void measure_counter(const std::string& name) {
  Counter counter;
  measure(name, [&](std::size_t count) {
    for (; count != 0; --count) counter.increment();
  });
}

}  // namespace

int main() {
  measure_batches("item of 8 ns", 8);
  measure_batches("item of 10 us", 10'000);
  measure("step of a tracker, every() told", [](std::size_t count) {
    xofn::BasicProgressTracker<MadeUpTime> tracker{count};
    tracker.on_progress(look_at);
    for (; count != 0; --count) tracker.succeed();
  });
  measure_counter<xofn::AtomicCounter>("increment of an AtomicCounter");
  measure_counter<xofn::MutexCounter>("increment of a MutexCounter");
  measure_counter<xofn::ShardedCounter>("increment of a ShardedCounter");
}
