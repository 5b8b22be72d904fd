// SPDX-License-Identifier: MIT
#include "crash.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "scheduler.hpp"
#include "strategy.hpp"

namespace {

using schedules::Scheduler;

const schedules::Scenario* running = nullptr;

void on_signal(int number) {
  // The process is lost anyway: what is called here need not be safe.
  const auto& scheduler = Scheduler::instance();
  std::printf("%.*s: signal %d\n  xofn_schedules --replay '%s%s' '%.*s'\n",
              static_cast<int>(running->name().size()), running->name().data(), number,
              scheduler.has_weak_memory() ? "weak;" : "",
              schedules::to_string(scheduler.choices()).c_str(),
              static_cast<int>(running->name().size()), running->name().data());
  std::fflush(stdout);
  _exit(1);
}

}  // namespace

extern "C" [[noreturn]] void __assert_fail(const char* assertion, const char* file,
                                           unsigned int line, const char*) noexcept {
  const std::string where = std::string(file) + ":" + std::to_string(line);
  if (!Scheduler::instance().is_running()) {
    std::fprintf(stderr, "%s: %s\n", where.c_str(), assertion);
    _exit(1);
  }
  Scheduler::instance().fail("an assertion does not hold: " + std::string(assertion) + " at " +
                             where);
}

namespace schedules {

void report_crashes_of(const Scenario& scenario) {
  running = &scenario;
  static bool done = false;
  if (std::exchange(done, true)) return;
  static std::array<char, 65536> stack;
  stack_t alternative{};
  alternative.ss_sp = stack.data();
  alternative.ss_size = stack.size();
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_ONSTACK;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(number, &action, nullptr);
  }
  std::set_terminate([] {
    auto& scheduler = Scheduler::instance();
    if (scheduler.is_running()) scheduler.fail("std::terminate is called");
    _exit(1);
  });
}

}  // namespace schedules
