// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>
#include <xofn/counting/audience.hpp>
#include <xofn/counting/policy.hpp>
#include <xofn/counting/subscriber.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// What can be told of the changes of a counter: callable with the new value.
template <class F>
concept ChangeFunction = std::move_constructible<F> && std::invocable<F&, std::int64_t>;

/// Keeps a function subscribed to the changes of a counter for as long as it lives.
///
/// It requires that the counter outlives it.
///
/// It guarantees that no call runs when it is gone, and that none follows: its destructor waits for
/// a call that is running on another thread, so do not destroy it while holding what the function
/// needs. Inside a call of that very function the destructor returns at once, and that call is the
/// last one. A change not told yet is not told any more. One may be moved, and a moved or default
/// constructed one is empty. Like any handle it is not to be used by two threads at once.
///
///     AtomicCounter::Subscription subscription = counter.on_change(redraw);
///     ...
///     subscription = {};                        // redraw() is not running, and will not be called
///     if (auto error = subscription.error()) std::rethrow_exception(error);
template <class Sync = StdSync>
class BasicSubscription {
 public:
  BasicSubscription() noexcept = default;
  BasicSubscription(BasicSubscription&& other) noexcept = default;
  BasicSubscription& operator=(BasicSubscription&& other) noexcept {
    BasicSubscription(std::move(other)).swap(*this);
    return *this;
  }
  ~BasicSubscription() {
    if (subscriber_ != nullptr) audience_->unsubscribe(std::move(subscriber_));
  }

  /// What the function threw first; null if it threw nothing so far.
  ///
  /// Memory ordering: what the function did before it threw is visible to who sees the exception.
  [[nodiscard]] std::exception_ptr error() const {
    return subscriber_ == nullptr ? nullptr : audience_->error(*subscriber_);
  }

 private:
  template <CountingPolicy, class>
  friend class ThreadSafeCounter;

  BasicSubscription(detail::Audience<Sync>& audience,
                    std::unique_ptr<detail::Subscriber<Sync>> subscriber)
      : audience_(&audience), subscriber_(std::move(subscriber)) {
    audience_->subscribe(*subscriber_);
  }

  void swap(BasicSubscription& other) noexcept {
    std::swap(audience_, other.audience_);
    std::swap(subscriber_, other.subscriber_);
  }

  detail::Audience<Sync>* audience_ = nullptr;
  std::unique_ptr<detail::Subscriber<Sync>> subscriber_;
};

using Subscription = BasicSubscription<>;

}  // namespace xofn
