// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace speed {

/// How often this program has called operator new, which allocations.cpp replaces.
std::uint64_t allocations() noexcept;

}  // namespace speed
