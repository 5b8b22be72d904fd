// SPDX-License-Identifier: MIT
// A file of its own: a compiler that sees both the new and the old of these takes them for a
// mismatch.
#include "memory.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local int before_failure = -1;  // below 0: there is none
thread_local int failures = 0;

void* allocate(std::size_t size) noexcept {
  if (before_failure >= 0 && before_failure-- == 0) {
    ++failures;
    return nullptr;
  }
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace

namespace support {

void fail_allocation_after(int others) noexcept { before_failure = others; }
void fail_no_allocation() noexcept { before_failure = -1; }
int failed_allocations() noexcept { return failures; }

}  // namespace support

void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
