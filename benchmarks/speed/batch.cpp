// SPDX-License-Identifier: MIT
#include "batch.hpp"

namespace speed {

void run(Processor& processor, Load& load) {
  processor.run(load.items, [](std::uint32_t& steps) { work(steps); });
}

}  // namespace speed
