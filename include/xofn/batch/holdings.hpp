// SPDX-License-Identifier: MIT
// Not API: what a running item holds of the limits of its batch.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/delivery/activity.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

template <class Sync>
class Limit;

/// A share of a limit: an item's own, or on loan from an item that it runs under. Guarded by the
/// limit's lock from when it is taken.
template <class Sync = StdSync>
struct Share {
  Limit<Sync>* limit = nullptr;  ///< null: nothing is held
  std::size_t part = 0;          ///< of which part of the limit
  std::uint64_t amount = 0;
  std::shared_ptr<Share> lender;  ///< null: it is the item's own
  bool is_lent = false;
  bool has_ended = false;  ///< the item has; given back once it is not lent
};

/// The shares of an item, and those of the items that its batch runs under. A batch has one too,
/// without shares, for what it runs outside of its items. Lives as long as somebody may borrow.
template <class Sync = StdSync>
class Holdings final : public Held {
 public:
  using Shares = std::array<Share<Sync>, 2>;  // of slots, of memory

  explicit Holdings(std::shared_ptr<Holdings> outer) noexcept : outer_(std::move(outer)) {}

  [[nodiscard]] Shares& shares() noexcept { return shares_; }

  /// The share of `limit` that the nearest running item holds, from `innermost` outwards, or null.
  /// Under the lock of the limit.
  [[nodiscard]] static std::shared_ptr<Share<Sync>> find(const std::shared_ptr<Holdings>& innermost,
                                                         const Limit<Sync>& limit) noexcept {
    for (auto holdings = innermost; holdings != nullptr; holdings = holdings->outer_) {
      for (Share<Sync>& share : holdings->shares_) {
        if (share.limit == &limit && !share.has_ended) return {holdings, &share};
      }
    }
    return nullptr;
  }

 private:
  const std::shared_ptr<Holdings> outer_;
  Shares shares_;
};

}  // namespace xofn::detail
