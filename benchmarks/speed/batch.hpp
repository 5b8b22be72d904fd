// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <xofn/batch_processor.hpp>

#include "load.hpp"

namespace speed {

/// xofn's side of every contest: tasks are numbers of steps, used in place.
using Processor = xofn::BatchProcessor<std::uint32_t>;

/// Runs the load on the processor, with the callbacks that it has.
void run(Processor& processor, Load& load);

/// A callback that costs next to nothing, and cannot be left out.
inline void look_at(const xofn::Progress& progress) { keep(progress.completed()); }

}  // namespace speed
