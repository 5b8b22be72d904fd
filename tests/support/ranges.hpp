// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

/// Ranges of the awkward kinds.
namespace support {

inline std::vector<int> numbers(int n) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// `make(0), make(1), ..., make(n - 1)`: an input range of prvalues, read once by an iterator that
/// cannot be copied. `at_begin` and `at_next(i)`, called before i is passed, may throw.
template <class Make>
class Generator {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = std::remove_cvref_t<std::invoke_result_t<Make&, int>>;

    explicit Iterator(Generator& generator) : generator_(&generator) {}
    Iterator(Iterator&&) = default;
    Iterator& operator=(Iterator&&) = default;

    std::invoke_result_t<Make&, int> operator*() const { return generator_->make_(next_); }
    Iterator& operator++() {
      if (generator_->at_next) generator_->at_next(next_);
      ++next_;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return next_ == generator_->size_; }

   private:
    Generator* generator_;
    int next_ = 0;
  };

  Generator(int size, Make make) : make_(std::move(make)), size_(size) {}
  Generator(Generator&&) = default;
  Generator& operator=(Generator&&) = default;

  Iterator begin() {
    if (at_begin) at_begin();
    return Iterator(*this);
  }
  std::default_sentinel_t end() const { return {}; }

  std::function<void()> at_begin = {};
  std::function<void(int)> at_next = {};

 private:
  Make make_;
  int size_;
};

/// `make(i)` for each index: sized, random access, each element made when it is asked for.
template <class Make>
class Indexed {
 public:
  class Iterator {
   public:
    using iterator_concept = std::random_access_iterator_tag;
    using iterator_category = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using reference = std::invoke_result_t<const Make&, int>;
    using value_type = std::remove_cvref_t<reference>;
    using pointer = void;

    Iterator() = default;
    Iterator(const Make* make, difference_type at) : make_(make), at_(at) {}

    reference operator*() const { return (*make_)(static_cast<int>(at_)); }
    reference operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type n) {
      at_ += n;
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    friend Iterator operator+(Iterator it, difference_type n) { return it += n; }
    friend Iterator operator+(difference_type n, Iterator it) { return it += n; }
    friend Iterator operator-(Iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(const Iterator& a, const Iterator& b) { return a.at_ - b.at_; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }
    friend auto operator<=>(const Iterator& a, const Iterator& b) { return a.at_ <=> b.at_; }

   private:
    const Make* make_ = nullptr;
    difference_type at_ = 0;
  };

  Indexed(int size, Make make) : make_(std::move(make)), size_(size) {}

  Iterator begin() const { return {&make_, 0}; }
  Iterator end() const { return {&make_, size_}; }

 private:
  Make make_;
  int size_;
};

namespace check {
static_assert(std::ranges::input_range<Generator<int (*)(int)>>);
static_assert(!std::ranges::forward_range<Generator<int (*)(int)>>);
static_assert(std::ranges::random_access_range<Indexed<int (*)(int)>>);
static_assert(std::ranges::sized_range<Indexed<int (*)(int)>>);
}  // namespace check

/// A range of any length, which nobody reads.
struct HugeRange {
  struct iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    std::ptrdiff_t at = 0;
    int operator*() const { return 0; }
    int operator[](std::ptrdiff_t) const { return 0; }
    iterator& operator++() { return *this += 1; }
    iterator operator++(int) { return {at++}; }
    iterator& operator--() { return *this += -1; }
    iterator operator--(int) { return {at--}; }
    iterator& operator+=(std::ptrdiff_t n) {
      at += n;
      return *this;
    }
    iterator& operator-=(std::ptrdiff_t n) { return *this += -n; }
    friend iterator operator+(iterator i, std::ptrdiff_t n) { return i += n; }
    friend iterator operator+(std::ptrdiff_t n, iterator i) { return i += n; }
    friend iterator operator-(iterator i, std::ptrdiff_t n) { return i -= n; }
    friend std::ptrdiff_t operator-(iterator a, iterator b) { return a.at - b.at; }
    friend auto operator<=>(iterator, iterator) = default;
  };
  std::ptrdiff_t length;
  [[nodiscard]] iterator begin() const { return {}; }
  [[nodiscard]] iterator end() const { return {length}; }
};

}  // namespace support
