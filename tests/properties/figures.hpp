// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace properties {

/// What has been tried so far, by all threads.
struct Figures {
  std::atomic<std::uint64_t> scenarios{0}, batches{0}, trackers{0}, counters{0};
  std::atomic<std::uint64_t> items{0};      // that settled, in batches and trackers
  std::atomic<std::uint64_t> callbacks{0};  // calls that an oracle has looked at
  std::atomic<std::uint64_t> violations{0};
};

inline Figures figures;

}  // namespace properties
