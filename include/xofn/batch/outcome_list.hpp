// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <xofn/batch/outcome.hpp>
#include <xofn/batch/results.hpp>

namespace xofn {

/// The outcomes of a batch in the order of submission: a random-access range of `Outcome<Result>&`,
/// of `Outcome<void>` by value for items without a result. Keeps the outcomes alive.
template <class Result>
class OutcomeList {
 public:
  class iterator;

  explicit OutcomeList(std::shared_ptr<detail::Results<Result>> results) noexcept
      : results_(std::move(results)) {}

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(results_->total());
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// The outcome of item `i`, which must be below `size()`.
  [[nodiscard]] decltype(auto) operator[](std::uint64_t i) const noexcept {
    return results_->outcome(i);
  }

  [[nodiscard]] iterator begin() const noexcept { return iterator(results_.get(), 0); }
  [[nodiscard]] iterator end() const noexcept {
    return iterator(results_.get(), results_->total());
  }

 private:
  std::shared_ptr<detail::Results<Result>> results_;
};

template <class Result>
class OutcomeList<Result>::iterator {
 public:
  using value_type = Outcome<Result>;
  using difference_type = std::ptrdiff_t;
  using reference = decltype(std::declval<detail::Results<Result>&>().outcome(0));
  using pointer = void;
  using iterator_concept = std::random_access_iterator_tag;
  using iterator_category = std::input_iterator_tag;

  iterator() noexcept = default;
  iterator(detail::Results<Result>* results, std::uint64_t i) noexcept : results_(results), i_(i) {}

  [[nodiscard]] reference operator*() const noexcept { return results_->outcome(i_); }
  [[nodiscard]] reference operator[](difference_type n) const noexcept { return *(*this + n); }

  iterator& operator++() noexcept { return *this += 1; }
  iterator& operator--() noexcept { return *this += -1; }
  iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
  iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
  iterator& operator+=(difference_type n) noexcept {
    i_ += static_cast<std::uint64_t>(n);
    return *this;
  }
  iterator& operator-=(difference_type n) noexcept { return *this += -n; }

  friend iterator operator+(iterator it, difference_type n) noexcept { return it += n; }
  friend iterator operator+(difference_type n, iterator it) noexcept { return it += n; }
  friend iterator operator-(iterator it, difference_type n) noexcept { return it -= n; }
  friend difference_type operator-(const iterator& a, const iterator& b) noexcept {
    return static_cast<difference_type>(a.i_ - b.i_);
  }
  friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.i_ == b.i_; }
  friend auto operator<=>(const iterator& a, const iterator& b) noexcept { return a.i_ <=> b.i_; }

 private:
  detail::Results<Result>* results_ = nullptr;
  std::uint64_t i_ = 0;
};

/// The results of the items that succeeded, in the order of submission: a forward range of
/// `Result&`. Keeps them alive.
template <class Result>
class ValueList {
 public:
  class iterator {
   public:
    using value_type = Result;
    using difference_type = std::ptrdiff_t;
    using reference = Result&;
    using pointer = Result*;
    using iterator_category = std::forward_iterator_tag;

    iterator() noexcept = default;
    iterator(detail::Results<Result>* results, std::uint64_t i) noexcept
        : results_(results), i_(i) {
      skip();
    }

    [[nodiscard]] reference operator*() const { return results_->outcome(i_).value(); }
    [[nodiscard]] pointer operator->() const { return std::addressof(**this); }
    iterator& operator++() noexcept {
      ++i_;
      skip();
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.i_ == b.i_; }

   private:
    void skip() noexcept {
      while (i_ != results_->total() && !results_->outcome(i_).succeeded()) ++i_;
    }

    detail::Results<Result>* results_ = nullptr;
    std::uint64_t i_ = 0;
  };

  explicit ValueList(std::shared_ptr<detail::Results<Result>> results) noexcept
      : results_(std::move(results)) {}

  [[nodiscard]] iterator begin() const noexcept { return iterator(results_.get(), 0); }
  [[nodiscard]] iterator end() const noexcept {
    return iterator(results_.get(), results_->total());
  }

 private:
  std::shared_ptr<detail::Results<Result>> results_;
};

}  // namespace xofn
