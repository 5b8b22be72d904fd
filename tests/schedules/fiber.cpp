// SPDX-License-Identifier: MIT
#include "fiber.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "sanitizers.hpp"

// Not even that a function was entered or left: those that switch leave in another's name.
#if defined(__clang__)
#define UNINSTRUMENTED __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define UNINSTRUMENTED __attribute__((noinline, no_sanitize("thread", "address")))
#endif

namespace schedules {

namespace {

constexpr unsigned no_sync = 1;  // a switch is no order
constexpr std::size_t guard = 4096;

Fiber* switched_from = nullptr;  // of the switch that is under way

}  // namespace

Fiber::Fiber() : begun_(true) {
  if constexpr (thread_sanitizer) sanitizer_fiber_ = __tsan_get_current_fiber();
}

Fiber::Fiber(void (*code)(void*), void* argument)
    : code_(code), argument_(argument), size_(stack_size) {
  void* memory = mmap(nullptr, guard + stack_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, guard, PROT_NONE);
  stack_ = static_cast<char*>(memory) + guard;
  bottom_ = stack_;
  if constexpr (thread_sanitizer) sanitizer_fiber_ = __tsan_create_fiber(0);
  make_context();
}

Fiber::~Fiber() {
  if (stack_ == nullptr) return;
  end_sanitizer_fiber();
  munmap(stack_ - guard, guard + stack_size);
}

void Fiber::make_context() {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = stack_size;
  context_.uc_link = nullptr;
  const auto self = reinterpret_cast<std::uintptr_t>(this);
  makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::begin), 2,
              static_cast<unsigned>(self >> 32), static_cast<unsigned>(self & 0xffffffff));
}

void Fiber::abandon() {
  begun_ = false;
  exceptions_ = {};
  fake_stack_ = nullptr;
  end_sanitizer_fiber();
  if constexpr (thread_sanitizer) sanitizer_fiber_ = __tsan_create_fiber(0);
  make_context();
}

UNINSTRUMENTED void Fiber::end_sanitizer_fiber() {
  if constexpr (thread_sanitizer) {
    void* const here = __tsan_get_current_fiber();
    const unsigned depth = Unseen::depth;
    __tsan_switch_to_fiber(sanitizer_fiber_, no_sync);
    for (; unseen_ != 0; --unseen_) Unseen::end();  // one that ends unseen is an error
    __tsan_release(this);
    __tsan_switch_to_fiber(here, no_sync);
    __tsan_acquire(this);
    Unseen::depth = depth;
    __tsan_destroy_fiber(sanitizer_fiber_);
  }
}

// Between the sanitizer's switch and the real one the code runs in the name of the wrong fiber, so
// nothing there may be instrumented.
UNINSTRUMENTED void Fiber::switch_to(Fiber& other) {
  auto* const exceptions = reinterpret_cast<void**>(abi::__cxa_get_globals());
  exceptions_[0] = exceptions[0];
  exceptions_[1] = exceptions[1];
  exceptions[0] = other.exceptions_[0];
  exceptions[1] = other.exceptions_[1];
  switched_from = this;
  unseen_ = Unseen::depth;
  Unseen::depth = other.unseen_;
  if constexpr (address_sanitizer) {
    __sanitizer_start_switch_fiber(&fake_stack_, other.bottom_, other.size_);
  }
  if constexpr (thread_sanitizer) __tsan_switch_to_fiber(other.sanitizer_fiber_, no_sync);
  if (__builtin_setjmp(jump_.data()) == 0) leap(other);
  asm volatile("" ::: "memory");  // the call before is none in place of a return
  arrive();
}

UNINSTRUMENTED void Fiber::leap(Fiber& to) {
  if (to.begun_) __builtin_longjmp(to.jump_.data(), 1);
  to.begun_ = true;
  setcontext(&to.context_);
}

UNINSTRUMENTED void Fiber::arrive() {
  if constexpr (address_sanitizer) {
    __sanitizer_finish_switch_fiber(fake_stack_, &switched_from->bottom_, &switched_from->size_);
  }
}

UNINSTRUMENTED void Fiber::begin(unsigned high, unsigned low) {
  auto* const self = reinterpret_cast<Fiber*>((static_cast<std::uintptr_t>(high) << 32) | low);
  self->arrive();
  self->code_(self->argument_);
}

}  // namespace schedules
