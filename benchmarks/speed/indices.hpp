// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace speed {

/// 0, 1, ... below `size_`, as `std::views::iota`, which clang++ 14 cannot compile.
class Indices {
 public:
  class Iterator {
   public:
    using value_type = std::uint64_t;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(std::uint64_t i) : i_(i) {}

    std::uint64_t operator*() const { return i_; }
    std::uint64_t operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator++() { return *this += 1; }
    Iterator operator++(int) { return Iterator(i_++); }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator--(int) { return Iterator(i_--); }
    Iterator& operator+=(difference_type n) {
      i_ += static_cast<std::uint64_t>(n);
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }

    friend Iterator operator+(Iterator it, difference_type n) { return it += n; }
    friend Iterator operator+(difference_type n, Iterator it) { return it += n; }
    friend Iterator operator-(Iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(Iterator a, Iterator b) {
      return static_cast<difference_type>(a.i_ - b.i_);
    }
    friend auto operator<=>(const Iterator&, const Iterator&) = default;

   private:
    std::uint64_t i_ = 0;
  };

  explicit Indices(std::uint64_t size) : size_(size) {}

  [[nodiscard]] Iterator begin() const { return Iterator(0); }
  [[nodiscard]] Iterator end() const { return Iterator(size_); }

 private:
  std::uint64_t size_;
};

}  // namespace speed
