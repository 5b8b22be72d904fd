// SPDX-License-Identifier: MIT
// Not API: an item of a batch with limits that may start.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <xofn/batch/holdings.hpp>
#include <xofn/batch/limit.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What an item has that was claimed and may start, or that fails.
template <class Sync = StdSync>
struct Admitted {
  std::uint64_t item = 0;
  std::shared_ptr<Holdings<Sync>> holdings;
  std::exception_ptr refusal;  ///< what it fails with unless null
};

/// While it lives the item runs; then it has given back what it holds.
template <class Sync = StdSync>
class Stay {
 public:
  /// Throws what the item fails with, if it does.
  explicit Stay(Admitted<Sync>& admitted) {
    if (admitted.refusal != nullptr) std::rethrow_exception(admitted.refusal);
    holdings_ = std::move(admitted.holdings);
  }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;
  ~Stay() {
    for (Share<Sync>& share : holdings_->shares()) {
      if (share.limit == nullptr) continue;
      const auto guard = share.limit->lock();
      share.limit->give_back(share);
    }
  }

  [[nodiscard]] const std::shared_ptr<Holdings<Sync>>& holdings() const noexcept {
    return holdings_;
  }

  /// What the slot is called; empty if there are no slots.
  [[nodiscard]] std::string_view slot() const noexcept {
    const Share<Sync>& share = holdings_->shares().front();
    return share.limit == nullptr ? std::string_view() : share.limit->parts()[share.part].name;
  }

 private:
  std::shared_ptr<Holdings<Sync>> holdings_;
};

}  // namespace xofn::detail
