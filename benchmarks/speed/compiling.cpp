// SPDX-License-Identifier: MIT
// P12: what it costs to include the headers.
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "sections.hpp"

namespace speed {

namespace {

/// What programs that this one has run, and that have ended, took of the processors.
Contest::nanoseconds time_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto time = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return time(usage.ru_utime) + time(usage.ru_stime);
}

}  // namespace

void compile(const Effort& effort, Results& results) {
  Contest contest;
  const auto add = [&](const std::string& header) {
    const std::string command = "echo '#include <" + header + ">' | " COMPILE_COMMAND;
    contest.add_timed(header, [command] {
      const auto before = time_of_children();
      if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
      return time_of_children() - before;
    });
  };
  const std::string all = "xofn/xofn.hpp";
  const std::string counter = "xofn/thread_safe_counter.hpp";
  const std::string peer = "tbb/parallel_for.h";
  add(all);
  add(counter);
#if WITH_TBB
  add(peer);
#endif
  contest.run(effort.rounds);
  const auto against_peer = [&](const std::string& header, double bound) {
    const std::string ms = header + ' ' + short_number(contest.median_ns(header) / 1e6) + " ms";
    if (!contest.has(peer)) return;
    results.add({"P12", "compiling <" + header + ">", contest.ratio(header, peer),
                 Bound::at_most(bound),
                 ms + ", " + peer + ' ' + short_number(contest.median_ns(peer) / 1e6) + " ms"});
  };
  against_peer(all, 0.9);
  against_peer(counter, 0.6);
}

}  // namespace speed
