// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fiber.hpp"
#include "memory.hpp"
#include "strategy.hpp"

namespace schedules {

/// Runs one program of several threads, as fibers, in the order that a strategy chooses.
///
/// The threads' operations call in here. Each is a point at which another thread may go on; nothing
/// else is. An execution ends when all threads have, or where something is wrong: a check failed,
/// nobody can go on, or there is no end in sight.
class Scheduler {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr unsigned most_threads = Options::most - 1;

  struct Settings {
    bool weak_memory = false;
    bool prints = false;  ///< each step, as it is taken
    std::size_t most_steps = 20'000;
  };

  static Scheduler& instance();

  /// Runs `program` as thread 0; returns what was wrong.
  std::optional<std::string> run(Strategy& strategy, const std::function<void()>& program,
                                 Settings settings);
  /// Gives all threads new stacks. Where the thread sanitizer has reported a race it looks no more,
  /// as long as the memory is the same.
  void renew_stacks() {
    for (auto& thread : threads_) thread.reset();
  }

  /// The choices of the execution, also of one that is running.
  [[nodiscard]] const Choices& choices() const noexcept { return choices_; }

  // For the threads of a running execution.

  [[nodiscard]] std::uint64_t execution() const noexcept { return memory_.execution(); }
  [[nodiscard]] bool is_running() const noexcept { return current_ != nullptr; }
  [[noreturn]] void fail(std::string what);

  /// An operation on `object` comes next. Another thread may go first.
  void point(const char* operation, const void* object);
  /// The same, and it cannot happen while `condition` holds.
  void point_while(const bool& condition, const char* operation, const void* object);
  /// Lets others go first: each of those that can go on now, for a step at least.
  void yield();
  /// Sleeps while `condition` holds, but not past `until`.
  void sleep_while(const bool& condition, const char* operation, const void* object,
                   std::int64_t until);
  /// From now on it is `condition` that the sleeping `thread` waits for.
  void wake_while(unsigned thread, const bool& condition);
  /// One of several ways to go on within an operation.
  std::size_t choose(std::size_t count, std::size_t free);

  /// Starts a thread that calls and then destroys `body`; throws std::system_error if there is none
  /// left.
  unsigned start(std::unique_ptr<std::function<void()>> body);
  void join(unsigned thread);
  void limit_threads(unsigned threads) noexcept;

  /// Nanoseconds since the beginning. Time stands still while threads run, but that no two readings
  /// are the same; it passes where a thread says so, and to the end of a timed sleep if nobody can
  /// go on, or by choice.
  std::int64_t read_clock() noexcept;
  [[nodiscard]] std::int64_t now() const noexcept { return now_; }
  void pass(std::int64_t nanoseconds) noexcept;

  [[nodiscard]] unsigned thread() const noexcept;
  [[nodiscard]] const void*& thread_pointer() noexcept;

  [[nodiscard]] bool has_weak_memory() const noexcept { return settings_.weak_memory; }
  [[nodiscard]] Memory& memory() noexcept { return memory_; }
  [[nodiscard]] View& view() noexcept;

 private:
  struct Thread {
    explicit Thread(unsigned number);
    Fiber fiber;
    const unsigned number;
    std::unique_ptr<std::function<void()>> body;
    bool active = false;  // begun and not ended
    const bool* blocked_while = nullptr;
    std::int64_t until = never;  // of a timed sleep
    std::uint32_t after = 0;     // those it has let go first
    const char* operation = "";  // the one that comes next
    const void* object = nullptr;
    const void* pointer = nullptr;
    View view;
  };

  Scheduler() = default;

  static void run_thread(void* thread);
  Thread& thread_at(unsigned number);
  void prepare(Thread& thread);
  void end_thread();
  void reschedule();
  Thread* pick();
  Thread* pick_timed(std::uint32_t runnable);
  void switch_to(Thread& next);
  std::size_t ask(const Options& options);
  [[nodiscard]] std::uint32_t runnable() const;
  [[nodiscard]] std::string stuck() const;
  void print_step(const Thread& thread) const;

  Fiber host_;
  std::array<std::unique_ptr<Thread>, most_threads> threads_;
  unsigned begun_ = 0;
  unsigned thread_limit_ = most_threads;
  Thread* current_ = nullptr;
  Strategy* strategy_ = nullptr;
  Settings settings_;
  Choices choices_;
  std::size_t steps_ = 0;
  std::int64_t now_ = 0;
  std::optional<std::string> failure_;
  Memory memory_;
};

/// What a program that is being scheduled says of itself. The first that does not hold ends it.
inline void check(bool holds, std::string_view what) {
  if (!holds) Scheduler::instance().fail(std::string(what));
}

}  // namespace schedules
