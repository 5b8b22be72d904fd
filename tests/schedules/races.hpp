// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace schedules {

/// How many races the thread sanitizer has reported; 0 without it.
[[nodiscard]] std::uint64_t races_reported();

/// While it lives, what the thread sanitizer reports is counted and not printed.
class SilentRaces {
 public:
  SilentRaces();
  SilentRaces(const SilentRaces&) = delete;
  SilentRaces& operator=(const SilentRaces&) = delete;
  ~SilentRaces();

 private:
  static inline int depth_ = 0;
};

}  // namespace schedules
