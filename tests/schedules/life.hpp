// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "scheduler.hpp"

namespace schedules {

/// Part of an object that threads share: finds out who uses it after its end. Sees it as long as
/// the memory is not used again, which within an execution the heap's is not (heap.cpp).
class Life {
 public:
  Life() = default;
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() { state_ = over; }

  void check() const {
    if (state_ == over) Scheduler::instance().fail("an object is used after its end");
  }

 private:
  static constexpr std::uint32_t alive = 0x600d11fe;
  static constexpr std::uint32_t over = 0xdeadbeef;
  volatile std::uint32_t state_ = alive;
};

}  // namespace schedules
