// SPDX-License-Identifier: MIT
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>

namespace schedules {

/// A stack of its own, and where on it a run of code has come to. Fibers of one thread take turns
/// by name: the running one switches to another, and goes on when another switches back.
///
/// Each has what the language keeps for a thread (the exceptions it is handling), and is a thread
/// of its own to the thread sanitizer, with no order between two fibers but what the code makes.
class Fiber {
 public:
  /// The code that is running already: to come back to.
  Fiber();
  /// Runs `code(argument)` when it is first switched to. `code` never returns.
  Fiber(void (*code)(void*), void* argument);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber();

  /// Called on this fiber.
  void switch_to(Fiber& other);

  /// Forgets where the code has come to; the next switch begins it anew. What lives on the stack is
  /// lost without its destructors. Called on another fiber, and ordered after all it did.
  void abandon();

 private:
  static constexpr std::size_t stack_size = 256 * 1024;

  void make_context();
  void end_sanitizer_fiber();
  static void begin(unsigned high, unsigned low);
  static void leap(Fiber& to);
  void arrive();

  ucontext_t context_{};
  std::array<void*, 5> jump_{};  // where to go on, cheaper than a context: no system call
  bool begun_ = false;
  void (*code_)(void*) = nullptr;
  void* argument_ = nullptr;
  char* stack_ = nullptr;
  std::array<void*, 2> exceptions_{};  // __cxa_eh_globals
  void* sanitizer_fiber_ = nullptr;
  unsigned unseen_ = 0;         // Unseen::depth
  void* fake_stack_ = nullptr;  // the address sanitizer's
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace schedules
