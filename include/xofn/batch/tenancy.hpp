// SPDX-License-Identifier: MIT
// Not API: a batch's share in whether its processor has one.
#pragma once

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
  explicit Tenancy(std::shared_ptr<Occupancy<Sync>> occupancy) : occupancy_(std::move(occupancy)) {
    occupancy_->occupy();
  }
  Tenancy(const Tenancy&) = delete;
  Tenancy& operator=(const Tenancy&) = delete;
  ~Tenancy() { end(); }

  /// The batch's threads will call nothing more.
  void work_is_over() { occupancy_->work_is_over(); }

  /// What it tells later counts as well.
  void linger() { occupancy_->linger(); }

  void end() {
    if (lasts_.exchange(false)) occupancy_->vacate();
  }

 private:
  const std::shared_ptr<Occupancy<Sync>> occupancy_;
  typename Sync::template atomic<bool> lasts_{true};
};

}  // namespace xofn::detail
