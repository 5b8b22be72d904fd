// SPDX-License-Identifier: MIT
// Not API: which batches and trackers the calling thread is inside of.
#pragma once

#include <memory>
#include <system_error>
#include <utility>
#include <vector>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What running user code holds, and lends to what it begins.
class Held {
 protected:
  ~Held() = default;
};

/// A batch or tracker whose user code (tasks, callbacks) may be running.
template <class Sync = StdSync>
class Activity : public std::enable_shared_from_this<Activity<Sync>> {
 public:
  /// `parent` is the activity whose user code begins this one, if any; `held` what this one's user
  /// code holds unless it says otherwise, if anything.
  explicit Activity(std::shared_ptr<Activity> parent, std::shared_ptr<Held> held = nullptr) noexcept
      : parent_(std::move(parent)), held_(std::move(held)) {}
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;
  virtual ~Activity() = default;

  [[nodiscard]] const Activity* parent() const noexcept { return parent_.get(); }
  [[nodiscard]] const std::shared_ptr<Held>& held() const noexcept { return held_; }

  /// Cancels what has not started, here and in what was adopted.
  virtual void cancel() {}

  /// Has `child`, which a task of this one begins, cancelled with this one, also if that is past.
  void adopt(const std::shared_ptr<Activity>& child) {
    bool cancelled = false;
    {
      const typename Sync::lock guard(mutex_);
      std::erase_if(children_, [](const auto& c) { return c.expired(); });
      children_.push_back(child);
      cancelled = cancelled_;
    }
    if (cancelled) child->cancel();
  }

 protected:
  void cancel_children() {
    std::vector<std::weak_ptr<Activity>> children;
    {
      const typename Sync::lock guard(mutex_);
      cancelled_ = true;
      children = children_;
    }
    for (const auto& child : children) {
      if (const auto living = child.lock()) living->cancel();
    }
  }

 private:
  const std::shared_ptr<Activity> parent_;
  const std::shared_ptr<Held> held_;
  typename Sync::mutex mutex_;
  std::vector<std::weak_ptr<Activity>> children_;
  bool cancelled_ = false;
};

enum class UserCode { task, callback };

/// While it lives, the calling thread is inside user code of an activity.
template <class Sync = StdSync>
class Inside {
 public:
  /// `held` is null if the user code holds no more than all of the activity's.
  Inside(Activity<Sync>& activity, UserCode kind, std::shared_ptr<Held> held = nullptr) noexcept
      : activity_(activity),
        kind_(kind),
        held_(held == nullptr ? activity.held() : std::move(held)),
        outer_(innermost()) {
    Sync::thread_pointer() = this;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { Sync::thread_pointer() = outer_; }

  /// The innermost on this thread, or null.
  [[nodiscard]] static const Inside* innermost() noexcept {
    return static_cast<const Inside*>(Sync::thread_pointer());
  }

  /// The activity that the calling thread is inside of, or null.
  [[nodiscard]] static std::shared_ptr<Activity<Sync>> current() {
    const Inside* inside = innermost();
    return inside == nullptr ? nullptr : inside->activity_.shared_from_this();
  }

  [[nodiscard]] static bool any() noexcept { return innermost() != nullptr; }

  /// What the innermost user code on this thread holds, or null.
  [[nodiscard]] static std::shared_ptr<Held> held() noexcept {
    return innermost() == nullptr ? nullptr : innermost()->held_;
  }

  /// Whether any user code on this thread holds something.
  [[nodiscard]] static bool holds_any() noexcept {
    for (const Inside* inside = innermost(); inside != nullptr; inside = inside->outer_) {
      if (inside->held_ != nullptr) return true;
    }
    return false;
  }

  /// Whether the innermost user code on this thread is a task.
  [[nodiscard]] static bool a_task() noexcept {
    return innermost() != nullptr && innermost()->kind_ == UserCode::task;
  }

  /// Whether the calling thread is inside user code of `activity`, or of what runs under it.
  [[nodiscard]] static bool runs_under(const Activity<Sync>& activity) noexcept {
    for (const Inside* inside = innermost(); inside != nullptr; inside = inside->outer_) {
      for (const Activity<Sync>* a = &inside->activity_; a != nullptr; a = a->parent()) {
        if (a == &activity) return true;
      }
    }
    return false;
  }

  /// Throws rather than let a thread wait for the end of what cannot end before that thread does.
  static void check_may_wait_for(const Activity<Sync>& activity) {
    if (!runs_under(activity)) return;
    throw std::system_error(
        std::make_error_code(std::errc::resource_deadlock_would_occur),
        "xofn: waiting for a batch or tracker from its own callback or task, or from one under it");
  }

 private:
  Activity<Sync>& activity_;
  const UserCode kind_;
  const std::shared_ptr<Held> held_;
  const Inside* const outer_;
};

}  // namespace xofn::detail
