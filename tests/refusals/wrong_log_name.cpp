// SPDX-License-Identifier: MIT
// refused: log_to: the function makes no std::string of a const Task&
#include <xofn/publish/log.hpp>

void listen(xofn::BatchProcessor<int>& processor, xofn::Log& log) {
  xofn::log_to(processor, log, "clips", [](int item) { return item; });
}
