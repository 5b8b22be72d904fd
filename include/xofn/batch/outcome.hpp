// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>
#include <variant>

namespace xofn {

namespace detail {

/// Of a cancelled item: what its last attempt failed with.
struct LastError {
  std::exception_ptr exception;
};

}  // namespace detail

/// What became of one item: its result, the exception that it failed with, or that it was
/// cancelled.
template <class Result>
class Outcome {
 public:
  using value_type = Result;

  /// A cancelled item's.
  Outcome() noexcept = default;

  /// A result, made from `args` in place.
  template <class... Args>
  explicit Outcome(std::in_place_t, Args&&... args)
      : state_(std::in_place_index<1>, std::forward<Args>(args)...) {}

  explicit Outcome(std::exception_ptr error) noexcept
      : state_(std::in_place_index<2>, std::move(error)) {}

  /// A cancelled item's that was to be tried again.
  explicit Outcome(detail::LastError last) noexcept
      : state_(std::in_place_index<0>, std::move(last.exception)) {}

  [[nodiscard]] bool succeeded() const noexcept { return state_.index() == 1; }
  [[nodiscard]] bool failed() const noexcept { return state_.index() == 2; }
  [[nodiscard]] bool cancelled() const noexcept { return state_.index() == 0; }

  /// The result. Throws what the item failed with, or std::logic_error if it was cancelled.
  [[nodiscard]] Result& value() & {
    check();
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] const Result& value() const& {
    check();
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Result&& value() && { return std::move(value()); }

  /// What the item failed with; null if it did not fail. Of a cancelled item, what its last attempt
  /// failed with, if it was tried and was to be tried again.
  [[nodiscard]] std::exception_ptr error() const noexcept {
    if (const auto* error = std::get_if<2>(&state_)) return *error;
    const auto* last = std::get_if<0>(&state_);
    return last == nullptr ? nullptr : *last;
  }

 private:
  void check() const {
    if (failed()) std::rethrow_exception(error());
    if (cancelled()) throw std::logic_error("xofn: Outcome::value: the item was cancelled");
  }

  std::variant<std::exception_ptr, Result, std::exception_ptr> state_;
};

/// The same for items that have no result.
template <>
class Outcome<void> {
 public:
  using value_type = void;

  /// A cancelled item's.
  Outcome() noexcept = default;

  explicit Outcome(std::in_place_t) noexcept : end_(End::succeeded) {}

  explicit Outcome(std::exception_ptr error) noexcept
      : error_(std::move(error)), end_(End::failed) {}

  /// A cancelled item's that was to be tried again.
  explicit Outcome(detail::LastError last) noexcept : error_(std::move(last.exception)) {}

  [[nodiscard]] bool succeeded() const noexcept { return end_ == End::succeeded; }
  [[nodiscard]] bool failed() const noexcept { return end_ == End::failed; }
  [[nodiscard]] bool cancelled() const noexcept { return end_ == End::cancelled; }

  /// Throws what the item failed with, or std::logic_error if it was cancelled.
  void value() const {
    if (failed()) std::rethrow_exception(error_);
    if (cancelled()) throw std::logic_error("xofn: Outcome::value: the item was cancelled");
  }

  /// What the item failed with; null if it did not fail. Of a cancelled item, what its last attempt
  /// failed with, if it was tried and was to be tried again.
  [[nodiscard]] std::exception_ptr error() const noexcept { return error_; }

 private:
  enum class End : std::uint8_t { cancelled, succeeded, failed };

  std::exception_ptr error_;
  End end_ = End::cancelled;
};

}  // namespace xofn
