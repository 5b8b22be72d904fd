// SPDX-License-Identifier: MIT
// Not API: a stored callback that is told of items one by one.
#pragma once

#include <exception>
#include <memory>
#include <utility>
#include <vector>
#include <xofn/delivery/callback_error.hpp>

namespace xofn::detail {

/// `Event` is a `Start`, a `FailedAttempt` or a `Completion`.
template <class Event>
class EventCallback {
 public:
  virtual ~EventCallback() = default;
  virtual void tell(const Event& event, ErrorSink& errors) noexcept = 0;
};

template <class Event, class F>
class EventCallbackOf final : public EventCallback<Event> {
 public:
  explicit EventCallbackOf(F callback) : callback_(std::move(callback)) {}

  void tell(const Event& event, ErrorSink& errors) noexcept override {
    std::exception_ptr error;
    try {
      callback_(event);
    } catch (...) {
      error = std::current_exception();
    }
    if (error) errors.keep(std::move(error));
  }

 private:
  F callback_;
};

/// Callbacks in the order of their registration.
template <class Event>
using EventCallbacks = std::vector<std::unique_ptr<EventCallback<Event>>>;

}  // namespace xofn::detail
