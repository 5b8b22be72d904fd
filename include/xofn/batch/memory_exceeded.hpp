// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace xofn {

/// What an item failed with that needs more memory than it could ever be given: by the budget, or
/// by the item that it runs under. It was not run, counts as one attempt, and is not tried again.
class MemoryExceeded : public std::length_error {
 public:
  MemoryExceeded(std::uint64_t need, std::uint64_t most)
      : std::length_error("xofn: an item needs " + std::to_string(need) +
                          " of a memory budget of " + std::to_string(most)),
        need_(need),
        most_(most) {}

  /// What it needs, by memory_by().
  [[nodiscard]] std::uint64_t need() const noexcept { return need_; }

  /// What it could have had at most.
  [[nodiscard]] std::uint64_t most() const noexcept { return most_; }

 private:
  std::uint64_t need_;
  std::uint64_t most_;
};

}  // namespace xofn
