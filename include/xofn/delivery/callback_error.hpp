// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn {

/// What callbacks threw: the first exception, and how many there were. True if there was one.
struct CallbackError {
  std::exception_ptr first;
  std::uint64_t count = 0;

  [[nodiscard]] explicit operator bool() const noexcept { return count != 0; }
};

namespace detail {

/// Where a callback's exception goes.
class ErrorSink {
 public:
  virtual void keep(std::exception_ptr error) noexcept = 0;

 protected:
  ~ErrorSink() = default;
};

/// Keeps the first error and counts them all, from any thread.
template <class Sync>
class ErrorKeeper final : public ErrorSink {
 public:
  void keep(std::exception_ptr error) noexcept override {
    const typename Sync::lock guard(mutex_);
    if (kept_.count++ == 0) kept_.first = std::move(error);
  }

  [[nodiscard]] CallbackError kept() const {
    const typename Sync::lock guard(mutex_);
    return kept_;
  }

 private:
  mutable typename Sync::mutex mutex_;
  CallbackError kept_;
};

}  // namespace detail
}  // namespace xofn
