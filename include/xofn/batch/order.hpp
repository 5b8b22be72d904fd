// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace xofn {

/// In which order the completed items of a batch are told one by one: to `on_completion` callbacks,
/// and to who iterates over `Batch::completions()`. How items are run does not depend on it, nor
/// what `on_progress` callbacks are told, which count what has settled.
enum class Order : std::uint8_t {
  /// As they complete.
  completion,

  /// As they were submitted: an item that completes before its turn is told when those before it
  /// have been, whatever they take, retries included. Cancelled items are passed over.
  submission,
};

}  // namespace xofn
