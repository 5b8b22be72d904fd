// SPDX-License-Identifier: MIT
// Not API: where a running item reports how far it is.
#pragma once

#include <cstdint>

namespace xofn::detail {

class AdvanceSink {
 public:
  /// `weight` more of the item's own is done. From any thread while the item runs.
  virtual void advance(std::uint64_t weight) noexcept = 0;

 protected:
  ~AdvanceSink() = default;
};

}  // namespace xofn::detail
