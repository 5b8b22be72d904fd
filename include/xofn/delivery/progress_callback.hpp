// SPDX-License-Identifier: MIT
// Not API: a stored progress callback.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/delivery/callback_error.hpp>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>

namespace xofn::detail {

/// A callback behind one virtual call for a whole run of steps, so that the user's callable is
/// inlined in the loop over them.
class ProgressCallback {
 public:
  virtual ~ProgressCallback() = default;

  /// Calls once with `now`.
  virtual void tell(const Progress& now, ErrorSink& errors) noexcept = 0;

  /// Calls once for each of `succeeded` and then `failed` steps that follow `told`, and leaves
  /// there the last one told.
  virtual void tell_steps(Progress& told, std::uint64_t succeeded, std::uint64_t failed,
                          ErrorSink& errors) noexcept = 0;
};

/// Moves one running item of `told` to those that succeeded or failed.
inline void take_step(Progress& told, std::uint64_t Progress::*settled) noexcept {
  ++(told.*settled);
  --told.running;
  if (told.completed() == told.total && told.total_is_final) told.state = BatchState::finished;
}

template <class F>
class ProgressCallbackOf final : public ProgressCallback {
 public:
  explicit ProgressCallbackOf(F callback) : callback_(std::move(callback)) {}

  void tell(const Progress& now, ErrorSink& errors) noexcept override {
    guard(errors, [&] { callback_(now); });
  }

  void tell_steps(Progress& told, std::uint64_t succeeded, std::uint64_t failed,
                  ErrorSink& errors) noexcept override {
    const auto tell_all = [&](std::uint64_t steps, std::uint64_t Progress::*settled) {
      while (steps != 0) {
        guard(errors, [&] {  // entered again behind a step that threw
          while (steps != 0) {
            --steps;
            take_step(told, settled);
            callback_(std::as_const(told));
          }
        });
      }
    };
    tell_all(succeeded, &Progress::succeeded);
    tell_all(failed, &Progress::failed);
  }

 private:
  template <class Call>
  static void guard(ErrorSink& errors, Call call) noexcept {
    std::exception_ptr error;
    try {
      call();
    } catch (...) {
      error = std::current_exception();
    }
    if (error) errors.keep(std::move(error));
  }

  F callback_;
};

/// A callback and how it wants to be told.
struct Subscription {
  Delivery delivery;
  std::unique_ptr<ProgressCallback> callback;
};

/// Callbacks in the order of their registration.
using Subscriptions = std::vector<Subscription>;

template <class F>
[[nodiscard]] Subscription make_subscription(F&& callback, Delivery delivery) {
  using Callback = std::decay_t<F>;
  static_assert(std::constructible_from<Callback, F>,
                "xofn: on_progress: the callback cannot be copied: hand it over by std::move");
  static_assert(
      requires(Callback & c, const Progress& p) { c(p); },
      "xofn: on_progress: the callback is not callable with a const Progress&");
  return {delivery, std::make_unique<ProgressCallbackOf<Callback>>(std::forward<F>(callback))};
}

}  // namespace xofn::detail
