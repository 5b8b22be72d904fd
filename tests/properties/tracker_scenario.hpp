// SPDX-License-Identifier: MIT
#pragma once

#include <rapidcheck.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <xofn/progress_tracker.hpp>
#include <xofn/sync.hpp>

#include "../support/gate.hpp"
#include "../support/oracle.hpp"
#include "../support/recorder.hpp"
#include "../support/shaky_sync.hpp"
#include "figures.hpp"

namespace properties {

struct TrackerStep {
  enum Kind { succeed, fail, add_total, read, pump, cancel_rest } kind = succeed;
  int n = 1;
};

/// A tracker, and what each of some threads does with it at the same time.
struct TrackerScenario {
  bool shaky = false;
  int total = 0;
  std::vector<std::vector<TrackerStep>> threads = {};
  bool every = false, every_on_caller = false, latest = false;
  int callbacks_throw_every = 0;  // each so manieth call; 0: none
  bool ends_by_cancel = false;    // what is left, rather than failing it
};

inline std::ostream& operator<<(std::ostream& out, const TrackerStep& step) {
  constexpr const char* names[] = {"succeed", "fail", "add_total", "read", "pump", "cancel_rest"};
  return out << "{TrackerStep::" << names[step.kind] << ", " << step.n << '}';
}

/// As C++, to be kept as a case.
inline std::ostream& operator<<(std::ostream& out, const TrackerScenario& s) {
  out << std::boolalpha << "{.shaky = " << s.shaky << ", .total = " << s.total << ", .threads = {";
  for (const auto& steps : s.threads) {
    rc::showCollection("{", &steps == &s.threads.back() ? "}" : "}, ", steps, out);
  }
  return out << "}, .every = " << s.every << ", .every_on_caller = " << s.every_on_caller
             << ", .latest = " << s.latest
             << ", .callbacks_throw_every = " << s.callbacks_throw_every
             << ", .ends_by_cancel = " << s.ends_by_cancel << '}';
}

template <class Sync>
class TrackerTrial {
 public:
  explicit TrackerTrial(const TrackerScenario& scenario)
      : scenario_(scenario), tracker_(static_cast<std::uint64_t>(scenario.total)) {}

  std::string run() {
    using xofn::Delivery;
    constexpr std::chrono::microseconds shortest{100};
    if (scenario_.every) tracker_.on_progress(to(every_));
    if (scenario_.every_on_caller) tracker_.on_progress(to(caller_), Delivery::every().on_caller());
    if (scenario_.latest) tracker_.on_progress(to(latest_), Delivery::latest(shortest));
    if (!scenario_.threads.empty()) {
      support::in_parallel(static_cast<int>(scenario_.threads.size()), [&](int number) {
        go(scenario_.threads[static_cast<std::size_t>(number)]);
      });
    }
    const std::uint64_t left = tracker_.progress().remaining();
    if (scenario_.ends_by_cancel) {
      tracker_.cancel_rest();
    } else if (left > 0) {
      tracker_.fail(left);
      failed_.fetch_add(left);
    }
    tracker_.wait();
    for (support::Recorder* r : {&every_, &caller_, &latest_}) r->close();
    const xofn::Progress last = tracker_.progress();
    const std::uint64_t calls = every_.made() + caller_.made() + latest_.made();
    figures.trackers.fetch_add(1);
    figures.items.fetch_add(last.total);
    figures.callbacks.fetch_add(calls);
    const std::uint64_t total = static_cast<std::uint64_t>(scenario_.total) + added_.load();
    if (last.total != total)
      complain("the total is not what was given: " + support::describe(last));
    if (last.succeeded != succeeded_.load() || last.failed != failed_.load()) {
      complain("C1: not what was counted: " + support::describe(last));
    }
    if (last.completed() + last.cancelled != total)
      complain("C1: not all: " + support::describe(last));
    if (last.cancelled > 0 && !cancels_.load() && !scenario_.ends_by_cancel) {
      complain("C12: cancelled though nobody has: " + support::describe(last));
    }
    if (scenario_.every) complain(wrong_every(every_, last));
    if (scenario_.every_on_caller) complain(wrong_every(caller_, last));
    if (scenario_.latest) complain(wrong_latest(latest_, last, shortest));
    if (tracker_.callback_error().count != thrown_.load()) complain("C9: not all errors kept");
    const std::lock_guard lock(mutex_);
    return complaint_;
  }

 private:
  auto to(support::Recorder& recorder) {
    return [this, &recorder](const xofn::Progress& p) {
      recorder.record(p);
      const auto period = static_cast<std::uint64_t>(scenario_.callbacks_throw_every);
      if (period == 0 || recorder.made() % period != 0) return;
      thrown_.fetch_add(1);
      throw std::runtime_error("callback");
    };
  }

  void go(const std::vector<TrackerStep>& steps) {
    xofn::Progress before = tracker_.progress();
    for (const TrackerStep& step : steps) {
      const bool is_alone = scenario_.threads.size() == 1;
      const auto n = static_cast<std::uint64_t>(step.n);
      const std::uint64_t left = before.remaining();
      bool is_refused = false;
      try {
        take(step.kind, n);
      } catch (const std::out_of_range&) {
        is_refused = true;
        if (is_alone && n <= left) complain("refused though there were enough items");
      } catch (const std::logic_error&) {
        is_refused = true;
        if (is_alone && !support::is_final(before)) complain("refused though it had not ended");
      }
      const bool settles = step.kind == TrackerStep::succeed || step.kind == TrackerStep::fail;
      if (is_alone && settles && n > left && !is_refused) complain("beyond the total");
      const xofn::Progress now = tracker_.progress();
      complain(support::wrong_snapshot(now));
      complain(support::wrong_step(before, now));
      before = now;
    }
  }

  void take(TrackerStep::Kind kind, std::uint64_t n) {
    switch (kind) {
      case TrackerStep::succeed:
        tracker_.succeed(n);
        succeeded_.fetch_add(n);
        return;
      case TrackerStep::fail:
        tracker_.fail(n);
        failed_.fetch_add(n);
        return;
      case TrackerStep::add_total:
        tracker_.add_total(n);
        added_.fetch_add(n);
        return;
      case TrackerStep::read:
        return;
      case TrackerStep::pump:
        return tracker_.pump();
      case TrackerStep::cancel_rest:
        cancels_.store(true);
        return tracker_.cancel_rest();
    }
  }

  void complain(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (complaint_.empty()) complaint_ = text;
  }

  const TrackerScenario& scenario_;
  support::Recorder every_, caller_, latest_;
  std::atomic<std::uint64_t> succeeded_{0}, failed_{0}, added_{0}, thrown_{0};
  std::atomic<bool> cancels_{false};
  std::mutex mutex_;
  std::string complaint_;
  xofn::BasicProgressTracker<Sync> tracker_;
};

inline std::string wrong(const TrackerScenario& scenario) {
  if (scenario.shaky) return TrackerTrial<support::ShakySync>(scenario).run();
  return TrackerTrial<xofn::StdSync>(scenario).run();
}

}  // namespace properties

template <>
struct rc::Arbitrary<properties::TrackerScenario> {
  static Gen<properties::TrackerScenario> arbitrary() {
    using namespace properties;
    using S = TrackerScenario;
    const auto kind = gen::weightedElement<TrackerStep::Kind>({{40, TrackerStep::succeed},
                                                               {20, TrackerStep::fail},
                                                               {20, TrackerStep::add_total},
                                                               {10, TrackerStep::read},
                                                               {5, TrackerStep::pump},
                                                               {1, TrackerStep::cancel_rest}});
    const auto steps = gen::container<std::vector<TrackerStep>>(gen::build<TrackerStep>(
        gen::set(&TrackerStep::kind, kind), gen::set(&TrackerStep::n, gen::inRange(0, 5))));
    const auto threads = gen::mapcat(gen::inRange<std::size_t>(1, 5), [=](std::size_t count) {
      return gen::container<std::vector<std::vector<TrackerStep>>>(count, steps);
    });
    return gen::build<S>(gen::set(&S::shaky), gen::set(&S::total, gen::inRange(0, 200)),
                         gen::set(&S::threads, threads), gen::set(&S::every),
                         gen::set(&S::every_on_caller), gen::set(&S::latest),
                         gen::set(&S::callbacks_throw_every, gen::inRange(0, 6)),
                         gen::set(&S::ends_by_cancel));
  }
};
