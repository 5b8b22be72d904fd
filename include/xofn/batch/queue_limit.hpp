// SPDX-License-Identifier: MIT
// Not API: how many items of an open batch may wait to start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Counts the items that have not started, if there is a limit to them; else does nothing.
///
/// Store/load pair: an item that starts counts itself off and then looks for threads that are
/// blocked; a thread says that it is blocked and then looks whether there is room. All are seq_cst,
/// so that at least one of the two sees the other.
template <class Sync = StdSync>
class QueueLimit {
 public:
  /// 0: no limit.
  explicit QueueLimit(std::size_t most) noexcept : most_(most) {}

  [[nodiscard]] bool full() const noexcept { return most_ != 0 && queued_.load() >= most_; }

  /// An item is added, before anyone can start it.
  void put() noexcept {
    if (most_ != 0) queued_.fetch_add(1);
  }

  /// An item starts; returns whether blocked threads are to be woken.
  [[nodiscard]] bool take() noexcept {
    if (most_ == 0) return false;
    queued_.fetch_sub(1);
    return blocked_.load() != 0;
  }

  /// While it lives, a thread is blocked until there is room.
  class Blocked {
   public:
    explicit Blocked(QueueLimit& limit) noexcept : limit_(limit) { limit_.blocked_.fetch_add(1); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
    ~Blocked() { limit_.blocked_.fetch_sub(1); }

   private:
    QueueLimit& limit_;
  };

 private:
  const std::uint64_t most_;
  typename Sync::template atomic<std::uint64_t> queued_{0};
  typename Sync::template atomic<std::uint32_t> blocked_{0};
};

}  // namespace xofn::detail
