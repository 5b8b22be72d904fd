// SPDX-License-Identifier: MIT
// Not API: storage that grows without moving what it holds.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace xofn::detail {

/// Raw storage for elements 0, 1, ... in blocks of doubling size; the first is as large as the
/// expected number. Says nothing of which elements live: who uses it constructs and destroys them.
///
/// One thread grows it. Others may use an element once they have learnt, by something that
/// synchronises, that it was grown that far.
template <class T>
class StableStore {
 public:
  /// `expected` elements are to be had without a second block. Storage that nobody touches costs
  /// address space alone.
  explicit StableStore(std::uint64_t expected) : first_(expected == 0 ? 64 : expected) {}

  StableStore(const StableStore&) = delete;
  StableStore& operator=(const StableStore&) = delete;

  ~StableStore() {
    for (std::size_t b = 0; b != blocks_.size(); ++b) {
      if (blocks_[b] != nullptr) std::allocator<T>().deallocate(blocks_[b], block_size(b));
    }
  }

  /// Makes room for elements below `count`. Throws std::bad_alloc.
  void grow(std::uint64_t count) {
    while (capacity_ < count) {
      const std::size_t b = blocks_used_;
      blocks_.at(b) = std::allocator<T>().allocate(block_size(b));
      capacity_ += block_size(b);
      ++blocks_used_;
    }
  }

  /// The place of element `i`.
  [[nodiscard]] T* at(std::uint64_t i) const noexcept {
    if (i < first_) return blocks_[0] + i;
    const auto block = static_cast<std::size_t>(std::bit_width(i / first_));
    return blocks_[block] + (i - (first_ << (block - 1)));
  }

 private:
  /// The blocks are as large as all before them together, but for the first.
  [[nodiscard]] std::size_t block_size(std::size_t b) const noexcept {
    return static_cast<std::size_t>(b == 0 ? first_ : first_ << (b - 1));
  }

  const std::uint64_t first_;
  std::array<T*, 48> blocks_{};
  std::size_t blocks_used_ = 0;
  std::uint64_t capacity_ = 0;
};

}  // namespace xofn::detail
