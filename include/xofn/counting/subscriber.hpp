// SPDX-License-Identifier: MIT
// Not API: a function that is told when a counter changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What an audience knows of a function. Members are guarded by the audience's lock.
template <class Sync>
struct Subscriber {
  virtual ~Subscriber() = default;

  /// Calls the function with the newest value, unless that is the value of the call before. One
  /// call at a time, no lock held.
  virtual void tell() = 0;

  Subscriber* next = nullptr;
  bool untold = false;     ///< the counter has changed since the latest tell() began
  bool telling = false;    ///< inside tell(), on the thread `teller`
  bool abandoned = false;  ///< unsubscribed by its own teller, who is left to destroy it
  std::size_t teller = 0;
  std::exception_ptr error;
  typename Sync::condition_variable ready;  ///< no longer telling
};

template <class Sync, class Cell, class F>
class SubscriberOf final : public Subscriber<Sync> {
 public:
  SubscriberOf(const Cell& cell, F function) : cell_(cell), function_(std::move(function)) {}

  void tell() override {
    const std::int64_t newest = cell_.value();
    if (told_ == newest) return;
    told_ = newest;
    function_(newest);
  }

 private:
  const Cell& cell_;
  F function_;
  std::optional<std::int64_t> told_;
};

}  // namespace xofn::detail
