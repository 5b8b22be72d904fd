// SPDX-License-Identifier: MIT
// Memory that is freed in an execution is not used again before its end: what is used after it was
// freed is still what it was, and says so (Life). The sanitizers have a better way of their own.
#include <cstdlib>
#include <new>

#include "heap.hpp"

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define XOFN_LEAVE_THE_HEAP
#endif
#endif
#else
#define XOFN_LEAVE_THE_HEAP
#endif

#ifndef XOFN_LEAVE_THE_HEAP

namespace {

// Before each block, where it begins: for it may be aligned to more than this takes.
struct Block {
  void* memory;
  Block* next;
};

Block* freed = nullptr;
bool keeps = false;

void* allocate(std::size_t size, std::size_t alignment) {
  const std::size_t room = alignment < sizeof(Block) ? sizeof(Block) : alignment;
  void* const memory = std::aligned_alloc(room, (room + size + room - 1) / room * room);
  if (memory == nullptr) throw std::bad_alloc();
  void* const user = static_cast<char*>(memory) + room;
  static_cast<Block*>(user)[-1] = {memory, nullptr};
  return user;
}

void deallocate(void* user) {
  if (user == nullptr) return;
  Block& block = static_cast<Block*>(user)[-1];
  if (!keeps) return std::free(block.memory);
  block.next = freed;
  freed = &block;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, sizeof(Block)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* user) noexcept { deallocate(user); }
void operator delete(void* user, std::size_t) noexcept { deallocate(user); }
void operator delete(void* user, std::align_val_t) noexcept { deallocate(user); }
void operator delete(void* user, std::size_t, std::align_val_t) noexcept { deallocate(user); }

namespace schedules {

void keep_freed_memory(bool keep) {
  keeps = keep;
  while (!keep && freed != nullptr) {
    Block* const block = freed;
    freed = block->next;
    std::free(block->memory);
  }
}

}  // namespace schedules

#else

namespace schedules {

void keep_freed_memory(bool) {}

}  // namespace schedules

#endif
