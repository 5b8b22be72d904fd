// SPDX-License-Identifier: MIT
// Batches for which there is no memory when they would need it.
#include "../support/memory.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>
#include <version>

#include <xofn/batch_processor.hpp>

#include "../support/gate.hpp"
#include "../support/work.hpp"

using support::numbers;
using xofn::BatchProcessor;
using xofn::TaskContext;
using namespace std::chrono_literals;

TEST_CASE("Memory: an item that there is none to try again has failed, with what it threw") {
  const int others = GENERATE(0, 1, 2);  // for what is kept of it, and for what it is put into
  const auto backoff = GENERATE(0ns, 1ns);
  const int before = support::failed_allocations();
  const auto fail_once = [&](const std::exception_ptr&) {
    if (support::failed_allocations() == before) support::fail_allocation_after(others);
    return true;
  };
  BatchProcessor<int> processor{
      {.max_workers = 1, .retry = {.max_attempts = 3, .backoff = backoff, .retry_if = fail_once}}};
  const auto report = processor.run(numbers(2), [](int i, TaskContext& context) {
    support::fail_no_allocation();
    if (context.attempt() < 3) throw i;
  });
  CHECK(support::failed_allocations() == before + 1);
  CHECK(report.progress().failed == 1);
  CHECK(report.progress().succeeded == 1);
  CHECK(report.progress().retried == 2);
  CHECK(report.attempts(0) == 1);
  CHECK(report.attempts(1) == 3);
}

#ifdef __cpp_lib_jthread
TEST_CASE("Memory: an item whose time has come is tried again when there is some") {
  int failed = 0;
  bool has_none = false;
  BatchProcessor<int> processor{
      {.retry = {.max_attempts = 1000, .backoff = 1ms}, .task_timeout = 5ms}};
  const auto report = processor.run(numbers(1), [&](int, TaskContext& context) {
    if (failed != 0) return;
    const auto me = std::this_thread::get_id();
    std::atomic<bool> called{false};
    const std::stop_callback late(context.stop_token(), [&] {
      if (std::this_thread::get_id() != me) {    // else it was too late to register it
        failed = support::failed_allocations();  // of the thread that puts the item back
        if (!std::exchange(has_none, true)) support::fail_allocation_after(0);
      }
      called = true;
    });
    static_cast<void>(support::eventually([&] { return called.load(); }));
  });
  CHECK(failed == 1);
  CHECK(report.all_succeeded());
}
#endif
