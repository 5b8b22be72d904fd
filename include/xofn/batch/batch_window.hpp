// SPDX-License-Identifier: MIT
// Not API: what can be seen of a batch, also when it is gone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/crew.hpp>
#include <xofn/batch/failure.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A batch as it is seen from outside.
class Viewed {
 public:
  [[nodiscard]] virtual Progress seen_progress() const noexcept = 0;

  /// At most `most` failures from the `first` on, in the order in which they came.
  [[nodiscard]] virtual std::vector<Failure> seen_failures(std::size_t first,
                                                           std::size_t most) const = 0;

 protected:
  ~Viewed() = default;
};

/// Looks at a batch until that is about to go, and from then on at what was there last: so that
/// nobody who looks keeps alive what is the user's, but for the failures. Any thread may call
/// anything.
template <class Sync = StdSync>
class BatchWindow {
 public:
  BatchWindow(const Viewed& batch, std::shared_ptr<Crew<Sync>> crew, std::string name)
      : name_(std::move(name)), crew_(std::move(crew)), batch_(&batch) {}
  BatchWindow(const BatchWindow&) = delete;
  BatchWindow& operator=(const BatchWindow&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Does nothing once the batch has ended; outlives it.
  [[nodiscard]] Crew<Sync>& crew() const noexcept { return *crew_; }

  [[nodiscard]] Progress progress() const {
    const typename Sync::lock guard(mutex_);
    return batch_ != nullptr ? batch_->seen_progress() : last_;
  }

  [[nodiscard]] std::vector<Failure> failures(std::size_t first, std::size_t most) const {
    const typename Sync::lock guard(mutex_);
    if (batch_ != nullptr) return batch_->seen_failures(first, most);
    const std::size_t begin = std::min(first, failures_.size());
    const std::size_t end = begin + std::min(most, failures_.size() - begin);
    const auto at = [this](std::size_t i) {
      return failures_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    return {at(begin), at(end)};
  }

  /// The batch, which has ended, is about to go.
  void close() noexcept {
    const typename Sync::lock guard(mutex_);
    if (batch_ == nullptr) return;
    last_ = batch_->seen_progress();
    try {
      failures_ = batch_->seen_failures(0, last_.failed);
    } catch (const std::bad_alloc&) {
      failures_.clear();  // how many there were is still known
    }
    batch_ = nullptr;
  }

 private:
  const std::string name_;
  const std::shared_ptr<Crew<Sync>> crew_;
  mutable typename Sync::mutex mutex_;
  const Viewed* batch_;
  Progress last_;
  std::vector<Failure> failures_;
};

}  // namespace xofn::detail
