// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <ostream>

namespace xofn {

/// What a reporter of X/N can break.
enum class Breach : std::uint8_t {
  lost,            ///< steps were skipped: X is more than one above that of the call before
  repeated,        ///< X is that of the call before
  backward,        ///< X is below that of the call before
  overlapping,     ///< a call began while another had not returned
  beyond_total,    ///< X > N
  never_complete,  ///< the last call before the end did not tell what it came to: N/N
  late,            ///< called after the end, or still inside a call then
};

/// All of them, in this order.
inline constexpr std::array breaches{
    Breach::lost,         Breach::repeated,       Breach::backward, Breach::overlapping,
    Breach::beyond_total, Breach::never_complete, Breach::late};

[[nodiscard]] constexpr const char* to_string(Breach breach) noexcept {
  switch (breach) {
    case Breach::lost:
      return "lost";
    case Breach::repeated:
      return "repeated";
    case Breach::backward:
      return "backward";
    case Breach::overlapping:
      return "overlapping";
    case Breach::beyond_total:
      return "X > N";
    case Breach::never_complete:
      return "never N/N";
    case Breach::late:
      return "late";
  }
  return "unknown";
}

/// One call that broke the contract.
struct Violation {
  Breach breach = Breach::lost;
  std::uint64_t before = 0;     ///< X of the call before; of `never_complete`, the X that was due
  std::uint64_t completed = 0;  ///< X as it was told; of `never_complete`, the last that was
  std::uint64_t total = 0;      ///< N as it was told with it

  friend constexpr bool operator==(const Violation&, const Violation&) = default;
};

/// "7/10 after 5", and what fits the breach.
inline std::ostream& operator<<(std::ostream& out, const Violation& violation) {
  if (violation.breach == Breach::never_complete && violation.completed == violation.before) {
    return out << "no call";
  }
  out << violation.completed << '/' << violation.total;
  switch (violation.breach) {
    case Breach::lost:
    case Breach::repeated:
    case Breach::backward:
      return out << " after " << violation.before;
    case Breach::overlapping:
      return out << " during another call";
    case Breach::beyond_total:
      return out;
    case Breach::never_complete:
      return out << " at the end instead of " << violation.before;
    case Breach::late:
      return out << " after the end";
  }
  return out;
}

}  // namespace xofn
