// SPDX-License-Identifier: MIT
// Not API: what the steps of a weighed batch weigh.
#pragma once

#include <cstdint>

namespace xofn::detail {

/// For whoever tells steps without knowing which items they are.
class StepWeights {
 public:
  /// For how many steps, from the first, that is known.
  ///
  /// Memory ordering: of_first() may be asked for these afterwards.
  [[nodiscard]] virtual std::uint64_t known() const noexcept = 0;

  /// What the items of the first `steps` steps weigh together; at least 1, at most known().
  [[nodiscard]] virtual std::uint64_t of_first(std::uint64_t steps) const noexcept = 0;

 protected:
  ~StepWeights() = default;
};

}  // namespace xofn::detail
