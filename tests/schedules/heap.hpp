// SPDX-License-Identifier: MIT
#pragma once

namespace schedules {

/// From now on memory that is freed is kept; or is no longer, and what was kept is given back.
void keep_freed_memory(bool keep);

}  // namespace schedules
