// SPDX-License-Identifier: MIT
// Not API: a batch's share in whether its processor has one.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/batch/occupancy.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A batch's tenancy of its processor, which it may outlive. Gives the processor free, once.
template <class Sync = StdSync>
class Tenancy {
 public:
  /// Throws std::logic_error if the processor has a batch.
  explicit Tenancy(std::shared_ptr<Occupancy<Sync>> occupancy)
      : occupancy_(std::move(occupancy)), number_(occupancy_->occupy()) {}
  Tenancy(const Tenancy&) = delete;
  Tenancy& operator=(const Tenancy&) = delete;
  ~Tenancy() { end(); }

  /// The batch's threads will call nothing more.
  void work_is_over() { occupancy_->work_is_over(number_); }

  /// What it tells later counts as well.
  void linger() { occupancy_->linger(number_); }

  /// The processor sees the batch to its end.
  void leave(typename Occupancy<Sync>::Left batch) { occupancy_->leave(std::move(batch)); }

  void end() {
    if (lasts_.exchange(false)) occupancy_->vacate(number_);
  }

 private:
  const std::shared_ptr<Occupancy<Sync>> occupancy_;
  const std::uint64_t number_;
  typename Sync::template atomic<bool> lasts_{true};
};

}  // namespace xofn::detail
