// SPDX-License-Identifier: MIT
// What a log says of batches, by a sink of our own that can be held, fail, and be slow.
#include <xofn/publish/log.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/publish/log_text.hpp>

#include "../support/executors.hpp"
#include "../support/gate.hpp"
#include "../support/ranges.hpp"
#include "../support/work.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::Gate;
using support::Indexed;
using support::numbers;
using support::patience;
using support::run_either_way;
using xofn::BatchProcessor;
using xofn::Log;
using xofn::LogEvent;
using xofn::LogEventKind;
using xofn::LogOptions;
using xofn::MemoryBudget;
using xofn::Order;
using xofn::TaskCancelled;
using xofn::TaskContext;
using xofn::ThreadPool;
using enum xofn::LogEventKind;

namespace {

/// What was written.
class Written {
 public:
  void add(const LogEvent& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }

  [[nodiscard]] std::vector<LogEvent> all() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

  [[nodiscard]] std::vector<LogEvent> of(LogEventKind kind) const {
    std::vector<LogEvent> events = all();
    std::erase_if(events, [&](const LogEvent& event) { return event.kind != kind; });
    return events;
  }

  [[nodiscard]] std::uint64_t said_lost() const {
    std::uint64_t lost = 0;
    for (const LogEvent& event : of(lines_lost)) lost += event.lost_lines;
    return lost;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<LogEvent> events_;
};

/// Keeps lines; `before` is called before each, and `flushing` where they are flushed.
struct Sink {
  std::shared_ptr<Written> written = std::make_shared<Written>();
  std::function<void(const LogEvent&)> before = [](const LogEvent&) {};
  std::function<void()> flushing = [] {};

  void write(const LogEvent& event) {
    before(event);
    written->add(event);
  }
  void flush() { flushing(); }
};

std::string item_name(int i) { return "item " + std::to_string(i); }

bool has_completed(const LogEvent& event) {
  return event.kind == item_succeeded || event.kind == item_failed;
}

/// What is wrong with the lines of one batch, of which perhaps not all were written.
std::string wrong_batch(const std::vector<LogEvent>& events) {
  std::uint64_t completed = 0;
  std::vector<std::uint64_t> begun;
  for (const LogEvent& event : events) {
    const std::string line = ": " + to_string(event);
    if (event.progress.completed() > event.progress.total) return "X is above N" + line;
    if (has_completed(event) && event.progress.completed() <= completed) return "X falls" + line;
    if (event.progress.completed() < completed) return "X falls" + line;
    completed = event.progress.completed();
    if ((event.kind == batch_started) != (&event == &events.front())) return "start" + line;
    if (event.kind == batch_finished || event.kind == batch_cancelled) {
      if (&event != &events.back()) return "goes on behind its end" + line;
    }
    if (event.kind == item_started) begun.push_back(*event.index);
    if (has_completed(event) && event.index &&
        std::find(begun.begin(), begun.end(), *event.index) == begun.end()) {
      return "ends and has not begun" + line;
    }
  }
  return {};
}

/// The same of all batches of a log, and the number of them.
std::string wrong_batches(const std::vector<LogEvent>& events, std::size_t batches) {
  std::vector<std::vector<LogEvent>> runs;
  for (const LogEvent& event : events) {
    if (event.run == 0) return "no run: " + to_string(event);
    if (event.run > runs.size()) runs.resize(event.run);
    runs[event.run - 1].push_back(event);
  }
  for (const auto& run : runs) {
    if (std::string wrong = wrong_batch(run); !wrong.empty()) return wrong;
    if (run.back().kind != batch_finished) return "no end";
  }
  if (runs.size() != batches) return "batches: " + std::to_string(runs.size());
  return {};
}

}  // namespace

TEST_CASE("Log: a batch is written down from its start to its end, each X once and in order") {
  const unsigned workers = GENERATE(1u, 2u, 8u);
  const bool by_start = GENERATE(false, true);
  constexpr int n = 200;
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = workers, .retry = {.max_attempts = 2}}};
  log_to(processor, log, "clips", item_name);
  const auto report = run_either_way(processor, by_start, numbers(n), [](int i, TaskContext& c) {
    if (i % 10 == 3 || (i % 10 == 7 && c.attempt() == 1)) throw std::runtime_error("busy");
  });
  CHECK_FALSE(report.callback_error());
  REQUIRE(log.flush(patience()));
  CHECK(log.error().empty());
  CHECK(log.lost_lines() == 0);
  const std::vector<LogEvent> events = sink.written->all();
  REQUIRE(wrong_batches(events, 1).empty());
  CHECK(events.front().progress.total == n);
  CHECK(sink.written->of(item_started).size() == n + n / 5);
  CHECK(sink.written->of(attempt_failed).size() == n / 10 * 3);
  CHECK(events.size() == 2 + n + n / 5 + n / 10 * 3 + n);
  for (const LogEvent& event : sink.written->of(attempt_failed)) {
    REQUIRE(event.error == "busy");
    REQUIRE(event.retry_after.has_value() == (event.attempt == 1));
    REQUIRE(event.item == item_name(static_cast<int>(*event.index)));
  }
  std::uint64_t completed = 0;
  for (const LogEvent& event : events) {
    REQUIRE(event.batch == "clips");
    if (!has_completed(event)) continue;
    REQUIRE(event.progress.completed() == ++completed);
    const auto i = static_cast<int>(*event.index);
    REQUIRE(event.item == item_name(i));
    REQUIRE(event.attempt == (i % 10 == 3 || i % 10 == 7 ? 2 : 1));
    REQUIRE((event.kind == item_failed) == (i % 10 == 3));
    REQUIRE(event.error == (i % 10 == 3 ? "busy" : ""));
    REQUIRE(event.duration.has_value());
  }
  CHECK(completed == n);
  CHECK(events.back().kind == batch_finished);
  CHECK(events.back().progress == report.progress());
}

TEST_CASE("Log: batches that share one have lines of their own, in their order") {
  const Sink sink;
  Log log{sink};
  constexpr int batches = 4;
  const int rounds = support::rounds(20);
  support::in_parallel(batches, [&](int number) {
    BatchProcessor<int> processor{{.max_workers = 2}};
    log_to(processor, log, std::to_string(number), item_name);
    for (int round = 0; round < rounds; ++round) {
      processor.run(numbers(25), [](int i) {
        if (i % 5 == 0) support::fail(i);
      });
    }
  });
  REQUIRE(log.flush(patience()));
  const auto count = static_cast<std::size_t>(batches * rounds);
  CHECK(wrong_batches(sink.written->all(), count).empty());
  CHECK(sink.written->all().size() == count * (2 + 25 + 25 + 5));
}

TEST_CASE("Log: batches within batches, on one thread") {
  const Sink sink;
  Log log{sink};
  ThreadPool pool{1};
  BatchProcessor<int> outer{pool, {.max_workers = 1}};
  log_to(outer, log, "outer");
  outer.run(numbers(3), [&](int) {
    BatchProcessor<int> inner{pool, {.max_workers = 1}};
    log_to(inner, log, "inner", item_name);
    inner.run(numbers(4), [](int) {});
  });
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batches(sink.written->all(), 4).empty());
  CHECK(sink.written->of(batch_started).front().batch == "outer");
  CHECK(sink.written->of(batch_finished).back().batch == "outer");
  CHECK(sink.written->of(item_succeeded).back().item.empty());
}

TEST_CASE("Log: items that begun and were cancelled have a line, the others are counted") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2, .retry = {.max_attempts = 2, .backoff = 1h}}};
  log_to(processor, log, "clips", item_name);
  Gate begun;
  std::atomic<bool> stopped{true};
  auto batch = processor.start(numbers(100), [&](int i, TaskContext& context) {
    if (i < 2) support::work_for(5us);  // shorter items may be told later
    if (i == 0) support::fail(i);       // waits for its retry when the batch is cancelled
    if (i == 1) throw TaskCancelled{};
    if (i == 3) begun.open();  // both workers are here then
    if (i >= 2 && !eventually([&] { return context.stop_requested(); })) stopped = false;
  });
  begun.wait();
  REQUIRE(eventually([&] {
    const auto now = batch.progress();
    return now.retried == 1 && now.cancelled == 1;
  }));
  batch.cancel();
  const auto last = batch.wait().progress();
  REQUIRE(stopped);
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batch(sink.written->all()).empty());
  const auto cancelled = sink.written->of(item_cancelled);
  REQUIRE(cancelled.size() == 2);
  CHECK(cancelled[0].item == "item 0");
  CHECK(cancelled[1].item == "item 1");
  CHECK(sink.written->all().back().kind == batch_cancelled);
  CHECK(sink.written->all().back().progress == last);
}

TEST_CASE("Log: a pause and its end have a line each") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips");
  const int times = 3;
  Gate begun;
  Gate go_on;
  auto batch = processor.start(numbers(10), [&](int) {
    begun.open();
    go_on.wait();
  });
  bool seen = begun.wait();
  for (std::size_t i = 1; i <= times; ++i) {
    batch.pause();
    seen = seen && eventually([&] { return sink.written->of(batch_paused).size() == i; });
    batch.resume();
    seen = seen && eventually([&] { return sink.written->of(batch_resumed).size() == i; });
  }
  go_on.open();
  batch.wait();
  REQUIRE(seen);
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batches(sink.written->all(), 1).empty());
}

TEST_CASE("Log: N does not fall where a pause was told a later one") {
  const Sink sink;
  const auto queue = std::make_shared<xofn::detail::LogQueue<>>(
      xofn::detail::AnyLogSink(std::in_place, sink), LogOptions{});
  xofn::detail::LoggedBatch<> batch(queue, "clips");
  batch.begin({0, 1}, "", 1);
  batch.look({.total = 9, .running = 1, .state = xofn::BatchState::paused});
  batch.complete({0, 1}, "", 1ms, {.total = 5, .succeeded = 1});
  REQUIRE(queue->flush(patience()));
  CHECK(sink.written->of(batch_started)[0].progress.total == 1);
  CHECK(sink.written->of(batch_paused)[0].progress.total == 9);
  CHECK(sink.written->of(item_succeeded)[0].progress.total == 9);
  CHECK(sink.written->of(item_succeeded)[0].progress.completed() == 1);
}

TEST_CASE("Log: a batch that is cancelled while it is paused, and the next, which is not paused") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 1}};
  log_to(processor, log, "clips");
  std::atomic<std::uint64_t> looked{0};  // behind the log
  processor.on_progress([&](const xofn::Progress& p) { looked = p.completed(); },
                        xofn::Delivery::latest());
  Gate begun;
  Gate go_on;
  bool seen = true;
  for (int round = 0; round < support::rounds(50); ++round) {
    const bool is_first = round == 0;
    auto batch = processor.start(numbers(10), [&](int) {
      begun.open();
      go_on.wait();
    });
    if (is_first) begun.wait();
    batch.pause();
    if (is_first) seen = eventually([&] { return !sink.written->of(batch_paused).empty(); });
    batch.cancel();
    go_on.open();
    batch.wait();
    if (!is_first) continue;
    looked = 0;
    processor.run(numbers(2), [&](int i) {
      if (i == 1 && !eventually([&] { return looked.load() == 1; })) seen = false;
    });
  }
  REQUIRE(seen);
  REQUIRE(log.flush(patience()));
  std::uint64_t ended = 0;
  for (const LogEvent& event : sink.written->all()) {
    REQUIRE(event.run == ended + 1);  // whatever was paused is not said of the next
    if (event.kind == batch_finished || event.kind == batch_cancelled) ++ended;
  }
  CHECK(ended == static_cast<std::uint64_t>(support::rounds(50)) + 1);
  CHECK(sink.written->of(batch_resumed).empty());
}

TEST_CASE("Log: a batch without items, one that grows, and one that could not be started") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips");
  SECTION("none") {
    processor.run(numbers(0), [](int) {});
    REQUIRE(log.flush(patience()));
    const auto events = sink.written->all();
    REQUIRE(events.size() == 2);
    CHECK(to_string(events[0]) == "clips #1: started, N is 0");
    CHECK(events[1].kind == batch_finished);
    CHECK(events[1].progress.total == 0);
  }
  SECTION("none yet") {
    auto batch = processor.open([](int) {});
    for (int i = 0; i < 10; ++i) batch.add(i);
    batch.close();
    batch.wait();
    REQUIRE(log.flush(patience()));
    CHECK(wrong_batches(sink.written->all(), 1).empty());
    CHECK(sink.written->all().back().progress.total == 10);
  }
  SECTION("refused") {
    support::ThrowingExecutor none(0);
    BatchProcessor<int> refused{none, {.max_workers = 2}};
    log_to(refused, log, "refused");
    CHECK_THROWS_AS(refused.start(numbers(5), [](int) {}), std::system_error);
    CHECK(refused.run(numbers(5), [](int) {}).all_succeeded());  // by the caller
    REQUIRE(log.flush(patience()));
    CHECK(wrong_batches(sink.written->all(), 1).empty());
  }
}

TEST_CASE("Log: X rises one by one also where items are told in the order of submission") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 4, .order = Order::submission}};
  log_to(processor, log, "clips", item_name);
  processor.run(numbers(300), [](int i) { support::work_for(std::chrono::microseconds{i % 7}); });
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batches(sink.written->all(), 1).empty());
  std::uint64_t next = 0;
  for (const LogEvent& event : sink.written->of(item_succeeded)) REQUIRE(*event.index == next++);
  CHECK(next == 300);
}

TEST_CASE("Log: what fails without having begun has a line as well") {
  const Sink sink;
  Log log{sink};
  SECTION("since its task cannot be made: nobody knows which it is") {
    const auto order = GENERATE(Order::completion, Order::submission);
    BatchProcessor<int> processor{{.max_workers = 2, .order = order}};
    log_to(processor, log, "clips", item_name);
    const Indexed tasks(10, [](int i) {
      if (i == 3 || i == 9) support::fail(i);
      return i;
    });
    processor.run(tasks, [](int) {});
    REQUIRE(log.flush(patience()));
    CHECK(wrong_batches(sink.written->all(), 1).empty());
    const auto failed = sink.written->of(item_failed);
    REQUIRE(failed.size() == 2);
    for (const LogEvent& event : failed) {
      CHECK_FALSE(event.index.has_value());
      CHECK(event.error == "its task could not be made");
    }
    CHECK(sink.written->of(item_succeeded).size() == 8);
    CHECK(sink.written->all().back().progress.failed == 2);
  }
  SECTION("since it needs more memory than there is") {
    MemoryBudget memory{10};
    BatchProcessor<int> processor{{.max_workers = 2, .memory = &memory}};
    processor.memory_by([](const int& i) { return i * 4; });
    log_to(processor, log, "clips", item_name);
    processor.run(numbers(4), [](int) {});
    REQUIRE(log.flush(patience()));
    const auto failed = sink.written->of(item_failed);
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].item == "item 3");
    CHECK(sink.written->of(item_started).size() == 3);
  }
}

TEST_CASE("Log: a name that throws is left out, and kept as any callback's error") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips", [](const int& i) -> std::string {
    if (i % 2 == 0) throw std::runtime_error("no name");
    return item_name(i);
  });
  const auto report = processor.run(numbers(10), [](int) {});
  CHECK(report.all_succeeded());
  CHECK(report.callback_error().count == 5);
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batches(sink.written->all(), 1).empty());
  for (const LogEvent& event : sink.written->of(item_succeeded)) {
    REQUIRE(event.item == (*event.index % 2 == 0 ? "" : item_name(static_cast<int>(*event.index))));
  }
}

TEST_CASE("C10: a name may run another batch, and flush the log that both are in") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  std::atomic<int> failures{0};
  log_to(processor, log, "outer", [&](const int& i) {
    BatchProcessor<int> other{{.max_workers = 2}};
    log_to(other, log, "inner", item_name);
    if (!other.run(numbers(3), [](int) {}).all_succeeded()) failures.fetch_add(1);
    if (!log.flush(patience())) failures.fetch_add(1);
    return item_name(i);
  });
  CHECK(processor.run(numbers(5), [](int) {}).all_succeeded());
  CHECK(failures.load() == 0);
  REQUIRE(log.flush(patience()));
  CHECK(wrong_batches(sink.written->all(), 6).empty());
}

TEST_CASE("Log: it is not attached while a batch runs, not even in part") {
  const Sink sink;
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 1}};
  Gate gate;
  auto batch = processor.start(numbers(1), [&](int) { gate.wait(); });
  CHECK_THROWS_AS(log_to(processor, log, "clips"), std::logic_error);
  gate.open();
  batch.wait();
  processor.run(numbers(5), [](int) {});
  REQUIRE(log.flush(patience()));
  CHECK(sink.written->all().empty());
}

TEST_CASE("Log: no batch waits for a sink that stands still, and what is lost is said") {
  Gate reads;
  Sink sink;
  sink.before = [&](const LogEvent&) { reads.wait(); };
  Log log{sink, {.max_queued_bytes = 64 << 10}};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips", item_name);
  CHECK(processor.run(numbers(2000), [](int) {}).all_succeeded());  // comes back
  const std::uint64_t lost = log.lost_lines();
  CHECK(lost > 2000);
  CHECK_FALSE(log.flush(0ns));
  CHECK(sink.written->all().empty());
  reads.open();
  CHECK(eventually([&] { return sink.written->said_lost() == lost; }));
  // Writing goes on.
  CHECK(processor.run(numbers(10), [](int) {}).all_succeeded());
  REQUIRE(log.flush(patience()));
  CHECK(log.lost_lines() == lost);
  const auto events = sink.written->all();
  CHECK(events.size() == 4002 - lost + 1 + 22);
  CHECK(events.back().run == 2);
  std::vector<LogEvent> first = events;
  std::erase_if(first, [](const LogEvent& event) { return event.run != 1; });
  CHECK(wrong_batch(first).empty());
  CHECK(first.size() == 4002 - lost);
}

TEST_CASE("Log: lines that are lost between others leave their number in that place") {
  Gate reads;
  Sink sink;
  std::atomic<bool> is_reading{false};
  sink.before = [&](const LogEvent&) {
    is_reading = true;
    reads.wait();
  };
  Log log{sink, {.max_queued_bytes = 64 << 10, .max_text = 8192}};
  BatchProcessor<int> processor{{.max_workers = 1}};
  // The name of one in three fits no more when there is room for a short one.
  log_to(processor, log, "clips",
         [](const int& i) { return std::string(i % 3 == 0 ? 8000 : 1, 'x'); });
  CHECK(processor.run(numbers(30), [](int) {}).all_succeeded());
  REQUIRE(eventually([&] { return is_reading.load(); }));
  const std::uint64_t lost = log.lost_lines();
  CHECK(lost > 0);
  reads.open();
  CHECK(eventually([&] { return sink.written->said_lost() == lost; }));
  CHECK(sink.written->of(lines_lost).size() > 1);
  std::uint64_t completed = 0;
  std::uint64_t lost_since = 0;
  for (const LogEvent& event : sink.written->all()) {
    if (event.kind == lines_lost) lost_since += event.lost_lines;
    if (!has_completed(event)) continue;
    // Of the lines of an item there are two.
    REQUIRE(event.progress.completed() <= completed + 1 + lost_since);
    if (event.progress.completed() != completed + 1) REQUIRE(lost_since > 0);
    completed = event.progress.completed();
    lost_since = 0;
  }
}

TEST_CASE("Log: what a sink throws loses that line, which the next one says") {
  Sink sink;
  std::atomic<int> calls{0};
  const bool is_always = GENERATE(false, true);
  const auto written = sink.written;
  sink.before = [&](const LogEvent&) {
    const int call = calls.fetch_add(1);
    if (call == 0) throw std::runtime_error("the first");
    if (call == 4) throw "no std::exception";
    if (is_always || call % 7 == 0) throw std::runtime_error("disk full");
  };
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips", item_name);
  CHECK(processor.run(numbers(100), [](int) {}).all_succeeded());
  REQUIRE(log.flush(patience()));
  CHECK(log.error() == "the first");
  if (is_always) {
    CHECK(log.lost_lines() == 202);
    CHECK(written->all().empty());
  } else {
    CHECK(log.lost_lines() > 20);
    std::vector<LogEvent> events = written->all();
    CHECK(events.size() - written->of(lines_lost).size() == 202 - log.lost_lines());
    std::uint64_t said = written->said_lost();
    if (said != log.lost_lines()) {  // the last was lost, and is said with the next
      processor.run(numbers(0), [](int) {});
      (void)log.flush(patience());
      said = written->said_lost();
    }
    CHECK(log.lost_lines() - said <= 2);
  }
}

TEST_CASE("Log: what is written and cannot be flushed is lost") {
  Sink sink;
  std::atomic<bool> fails{true};
  sink.flushing = [&] {
    if (fails) throw std::runtime_error("no room");
  };
  Log log{sink};
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, log, "clips", item_name);
  processor.run(numbers(10), [](int) {});
  REQUIRE(log.flush(patience()));
  CHECK(log.error() == "no room");
  CHECK(log.lost_lines() == 22);
  fails = false;
  processor.run(numbers(0), [](int) {});
  CHECK(log.flush(patience()));
  CHECK(log.lost_lines() == 22);
  const auto events = sink.written->all();
  REQUIRE(events.size() >= 3);
  CHECK(events[events.size() - 3].kind == lines_lost);
  CHECK(events[events.size() - 3].lost_lines == 22);
}

TEST_CASE("Log: texts are cut where they are too long") {
  const Sink sink;
  Log log{sink, {.max_text = 20}};
  BatchProcessor<int> processor{{.max_workers = 1}};
  const std::string letters = "0123456789012345678\xc3\xa9 and more";  // 20 bytes end within one
  log_to(processor, log, letters, [&](const int&) { return letters; });
  processor.run(numbers(1), [&](int) { throw std::runtime_error(letters); });
  REQUIRE(log.flush(patience()));
  const LogEvent event = sink.written->of(item_failed).front();
  CHECK(event.item == "0123456789012345678...");
  CHECK(event.error == event.item);
  CHECK(event.batch == event.item);
}

TEST_CASE("Log: it may go before its processors, at any time, and they run on") {
  const Sink sink;
  auto log = std::make_unique<Log>(sink, LogOptions{.linger = 1h});
  BatchProcessor<int> processor{{.max_workers = 2}};
  log_to(processor, *log, "clips", item_name);
  SECTION("between two batches") {
    processor.run(numbers(10), [](int) {});
    log.reset();
    CHECK(sink.written->all().size() == 22);  // all, without a flush
    CHECK(processor.run(numbers(10), [](int) {}).all_succeeded());
    CHECK(sink.written->all().size() == 22);
  }
  SECTION("while a batch runs") {
    Gate half;
    Gate gone;
    std::atomic<int> begun{0};
    auto batch = processor.start(numbers(100), [&](int) {
      if (begun.fetch_add(1) == 50) half.open();
      if (begun.load() > 50) gone.wait();
    });
    half.wait();
    log.reset();
    const std::size_t before = sink.written->all().size();
    gone.open();
    CHECK(batch.wait().all_succeeded());
    CHECK(sink.written->all().size() == before);
    CHECK(wrong_batch(sink.written->all()).empty());
  }
  SECTION("in the middle of much") {
    for (int round = 0; round < support::rounds(100); ++round) {
      log = std::make_unique<Log>(sink);
      BatchProcessor<int> other{{.max_workers = 2}};
      log_to(other, *log, "other");
      auto batch = other.start(numbers(20), [](int) {});
      log.reset();
      CHECK(batch.wait().all_succeeded());
    }
  }
}

TEST_CASE("Log: it may outlive its processors") {
  const Sink sink;
  Log log{sink};
  {
    BatchProcessor<int> processor{{.max_workers = 2}};
    log_to(processor, log, "clips", item_name);
    processor.run(numbers(10), [](int) {});
  }
  CHECK(log.flush(patience()));
  CHECK(sink.written->all().size() == 22);
}

TEST_CASE("Log: the destructor gives up after a while, and says what it leaves out") {
  std::string wrong;
  const auto gives_up = [&] {
    Gate is_writing;
    Gate reads;
    Sink sink;
    sink.before = [&](const LogEvent&) {
      is_writing.open();
      reads.wait();
    };
    auto log = std::make_unique<Log>(sink, LogOptions{.linger = 0ns});
    BatchProcessor<int> processor{{.max_workers = 1}};
    log_to(processor, *log, "clips", item_name);
    processor.run(numbers(200), [](int) {});
    is_writing.wait();
    std::thread closing([&] { log.reset(); });
    std::this_thread::yield();
    reads.open();  // perhaps before it closes: then all is written
    closing.join();
    const auto events = sink.written->all();
    const std::uint64_t lost = sink.written->said_lost();
    if (events.size() + lost != 402 + (lost == 0 ? 0u : 1u)) wrong = "some are not spoken of";
    if (lost != 0 && events.back().kind != lines_lost) wrong = "others come behind";
    return lost != 0;
  };
  CHECK(eventually(gives_up));
  CHECK(wrong.empty());
}

TEST_CASE("C10: no batch waits for the last line of a log that is closed") {
  Gate is_writing_last;
  Gate reads;
  std::atomic<bool> fails{true};
  Sink sink;
  sink.before = [&](const LogEvent&) {
    if (fails) throw std::runtime_error("no room");
    is_writing_last.open();
    reads.wait();
  };
  auto log = std::make_unique<Log>(sink);
  BatchProcessor<int> processor{{.max_workers = 1}};
  log_to(processor, *log, "clips", item_name);
  processor.run(numbers(10), [](int) {});
  REQUIRE(log->flush(patience()));
  fails = false;
  std::thread closing([&] { log.reset(); });  // says what was lost
  const bool is_writing = is_writing_last.wait();
  processor.run(numbers(10), [](int) {});  // comes back
  reads.open();
  closing.join();
  CHECK(is_writing);
  CHECK_FALSE(reads.expired());
  CHECK(sink.written->said_lost() == 22);
}

TEST_CASE("Log: flushing takes no longer than it is given, and nothing where nothing waits") {
  Gate reads;
  Sink sink;
  sink.before = [&](const LogEvent&) { reads.wait(); };
  Log log{sink};
  CHECK(log.flush(0ns));
  CHECK(log.flush(-1h));
  BatchProcessor<int> processor{{.max_workers = 1}};
  log_to(processor, log, "clips");
  processor.run(numbers(1), [](int) {});
  CHECK_FALSE(log.flush(0ns));
  CHECK_FALSE(log.flush(1ms));
  reads.open();
  CHECK(log.flush(std::chrono::hours::max()));
  CHECK(sink.written->all().size() == 4);
}

TEST_CASE("Log: absurd options are refused") {
  using Catch::Matchers::ContainsSubstring;
  const Sink sink;
  CHECK_THROWS_WITH((Log{sink, {.max_queued_bytes = 65535}}), ContainsSubstring("65535"));
  CHECK_THROWS_AS((Log{sink, {.max_text = 15}}), std::invalid_argument);
  CHECK_THROWS_AS((Log{sink, {.max_text = 8193}}), std::invalid_argument);
  CHECK_THROWS_AS((Log{sink, {.linger = -1ns}}), std::invalid_argument);
  CHECK_THROWS_AS((Log{sink, {.linger = 1h + 1ns}}), std::invalid_argument);
  CHECK_NOTHROW(Log{sink, {.max_queued_bytes = 65536, .max_text = 16, .linger = 0ns}});
}

TEST_CASE("Log: a line as a person reads it") {
  LogEvent event;
  event.batch = "cl\nips";
  event.run = 2;
  event.index = 3;
  event.item = "long.mp4";
  event.attempt = 1;
  event.error = "no\r\ncodec";
  event.progress.total = 10;
  event.progress.succeeded = 3;
  event.progress.failed = 1;
  event.progress.elapsed = 1234ms;
  const auto text = [&](LogEventKind kind) {
    event.kind = kind;
    return to_string(event);
  };
  CHECK(text(batch_started) == "cl?ips #2: started, N is 10");
  CHECK(text(item_started) == "cl?ips #2: item 3 long.mp4 begins, attempt 1");
  CHECK(text(attempt_failed) == "cl?ips #2: item 3 long.mp4 failed, attempt 1: no??codec");
  event.retry_after = 50ms;
  CHECK(text(attempt_failed) ==
        "cl?ips #2: item 3 long.mp4 failed, attempt 1: no??codec, again in 0.05 s");
  event.duration = 250ms;
  CHECK(text(item_succeeded) == "cl?ips #2: 4/10 item 3 long.mp4 succeeded in 0.25 s");
  CHECK(text(item_failed) == "cl?ips #2: 4/10 item 3 long.mp4 failed in 0.25 s: no??codec");
  CHECK(text(item_cancelled) == "cl?ips #2: item 3 long.mp4 cancelled");
  CHECK(text(batch_paused) == "cl?ips #2: paused at 4/10");
  CHECK(text(batch_resumed) == "cl?ips #2: resumed at 4/10");
  CHECK(text(batch_finished) ==
        "cl?ips #2: finished 4/10 in 1.23 s: 3 succeeded, 1 failed, 0 cancelled, 0 retried");
  CHECK(text(batch_cancelled).starts_with("cl?ips #2: cancelled 4/10"));
  event.progress.elapsed = 2h + 1s;
  CHECK(text(batch_cancelled).starts_with("cl?ips #2: cancelled 4/10 in 7201 s: "));
  event.lost_lines = 12;
  CHECK(text(lines_lost) == "12 lines lost");
  event.index.reset();
  event.duration.reset();
  CHECK(text(item_failed) == "cl?ips #2: 4/10 item failed: no??codec");
}
