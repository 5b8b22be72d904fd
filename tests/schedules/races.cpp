// SPDX-License-Identifier: MIT
#include "races.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "sanitizers.hpp"

namespace {

std::uint64_t reports = 0;

}  // namespace

extern "C" {

// A race that has been reported is one all the same in the next schedule.
__attribute__((no_sanitize("thread"))) const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:suppress_equal_addresses=0:exitcode=0";
}

__attribute__((no_sanitize("thread"))) void __tsan_on_report(void*) { ++reports; }

}  // extern "C"

namespace schedules {

std::uint64_t races_reported() { return reports; }

SilentRaces::SilentRaces() {
  static const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if constexpr (thread_sanitizer) {
    if (depth_++ == 0)
      __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<long>(nowhere)));
  }
}

SilentRaces::~SilentRaces() {
  if constexpr (thread_sanitizer) {
    if (--depth_ == 0) __sanitizer_set_report_fd(reinterpret_cast<void*>(long{STDERR_FILENO}));
  }
}

}  // namespace schedules
