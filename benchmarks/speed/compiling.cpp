// SPDX-License-Identifier: MIT
// P12: what it costs to include the headers.
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

#include "command.hpp"
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

std::string include(const std::string& header) { return "#include <" + header + ">"; }

/// The lines by which the header, and what it includes of ours, includes the standard's; none where
/// the shell cannot tell the paths apart.
std::string standard_includes_of(const std::string& header) {
  return output_of("echo '" + include(header) +
                   "' | " COMPILE_COMMAND
                   " -M -MF /dev/stdout | tr ' \\\\' '\\n\\n' | grep /include/xofn/ | "
                   "xargs grep -ho '^#include <[a-z_]*>' | sort -u");
}

}  // namespace

void compile(const Effort& effort, Results& results) {
  Contest contest;
  const auto add_source = [&](const std::string& name, const std::string& print_source) {
    const std::string command = print_source + " | " COMPILE_COMMAND;
    contest.add_timed(name, [command] {
      const auto before = time_of_children();
      if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
      return time_of_children() - before;
    });
  };
  const auto add = [&](const std::string& header) {
    add_source(header, "echo '" + include(header) + "'");
  };
  const std::string all = "xofn/xofn.hpp";
  const std::string standard = "the standard's headers that it includes";
  const std::string counter = "xofn/thread_safe_counter.hpp";
  const std::string peer = "tbb/parallel_for.h";
  add(all);
  const std::string includes = standard_includes_of(all);
  if (!includes.empty()) add_source(standard, "echo '" + includes + "'");
  add(counter);
#if WITH_TBB
  add(peer);
#endif
  contest.run(effort.rounds);
  const auto against_peer = [&](const std::string& header, std::optional<Bound> bound) {
    if (!contest.has(peer) || !contest.has(header)) return;
    const std::string ms = header + ' ' + short_number(contest.median_ns(header) / 1e6) + " ms";
    results.add({"P12", "compiling " + header, contest.ratio(header, peer), bound,
                 ms + ", " + peer + ' ' + short_number(contest.median_ns(peer) / 1e6) + " ms"});
  };
  against_peer(all, Bound::at_most(0.9));
  against_peer(standard, {});
  against_peer(counter, Bound::at_most(0.6));
}

}  // namespace speed
