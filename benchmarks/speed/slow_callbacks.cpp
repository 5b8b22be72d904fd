// SPDX-License-Identifier: MIT
// P5, P6: a callback that takes longer than the items, such as a display.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

#include "batch.hpp"
#include "sections.hpp"

namespace speed {

namespace {

using std::chrono::microseconds;
using xofn::Delivery;
using xofn::Progress;

constexpr microseconds item_time{10};
constexpr microseconds callback_time{20};

auto slow_callback() {
  return [busy = steps(callback_time)](const Progress& progress) {
    look_at(progress);
    work(busy);
  };
}

/// What one would write instead, and be right: plain threads that count and call under one mutex.
template <class Callback>
void mutex_loop(const Load& load, const Callback& callback) {
  Progress progress{.total = load.size()};
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t != xofn::StdSync::hardware_threads(); ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < load.size(); i = next++) {
        work(load.items[i]);
        const std::lock_guard guard(mutex);
        ++progress.succeeded;
        callback(progress);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void tell_latest(const Effort& effort, Results& results, std::size_t items, Delivery delivery,
                 const std::string& name, std::optional<Bound> bound) {
  Load load = Load::uniform(item_time, effort.items(items));
  Processor untold;
  Processor latest;
  std::uint64_t calls = 0;
  latest.on_progress(
      [&calls, callback = slow_callback()](const Progress& progress) {
        ++calls;
        callback(progress);
      },
      delivery);
  Contest contest;
  contest.add("no callback", [&] { run(untold, load); });
  contest.add(name, [&] { run(latest, load); });
  contest.run(effort.rounds);
  results.add({"P5", name + ", 20 us callback, 10 us items, against none",
               contest.ratio(name, "no callback"), bound,
               short_number(static_cast<double>(calls) / static_cast<double>(effort.rounds + 1)) +
                   " calls a batch of " + short_number(contest.median_ns("no callback") / 1e6) +
                   " ms"});
}

void tell_every(const Effort& effort, Results& results) {
  Load load = Load::uniform(item_time, effort.items(2'000));
  Processor every;
  every.on_progress(slow_callback());
  Contest contest;
  contest.add("every()", [&] { run(every, load); });
  contest.add("mutex", [&] { mutex_loop(load, slow_callback()); });
  contest.add("calls alone", [&, callback = slow_callback()] {
    for (std::uint64_t i = 0; i != load.size(); ++i) callback({.total = load.size()});
  });
  contest.run(effort.rounds);
  const double faster = contest.ratio("mutex", "every()");
  const double above_limit = contest.ratio("every()", "calls alone");
  // Either is enough: calls one after the other take what they take.
  const auto of_limit = Bound::at_most(1.05);
  const bool reaches_limit = of_limit.holds(above_limit, of_limit.bound);
  results.add({"P6",
               "every(), 20 us callback, 10 us items, against a mutex",
               faster,
               reaches_limit ? std::optional<Bound>() : Bound::at_least(1.5),
               {}});
  results.add({"P6",
               "the same against the calls alone, the limit",
               above_limit,
               reaches_limit ? of_limit : std::optional<Bound>(),
               {}});
}

}  // namespace

void tell_slow_callbacks(const Effort& effort, Results& results) {
  tell_latest(effort, results, 100'000, Delivery::latest(), "latest()", Bound::at_most(1.05));
  tell_latest(effort, results, 10'000, Delivery::latest(std::chrono::milliseconds{1}),
              "latest(1ms)", {});
  tell_every(effort, results);
}

}  // namespace speed
