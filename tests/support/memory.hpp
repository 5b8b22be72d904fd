// SPDX-License-Identifier: MIT
#pragma once

namespace support {

/// Has one allocation of the calling thread fail: the next but `others`.
void fail_allocation_after(int others) noexcept;

/// Has none fail.
void fail_no_allocation() noexcept;

/// How many of the calling thread's have failed.
[[nodiscard]] int failed_allocations() noexcept;

}  // namespace support
