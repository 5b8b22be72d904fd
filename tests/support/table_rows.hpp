// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace support {

/// The row of a batch, and how many rows there are of its items, as one statement finds them.
struct Seen {
  long long run = 0;
  std::string state;
  long long completed = 0, total = 0, succeeded = 0, failed = 0, cancelled = 0, running = 0,
            queued = 0, unlisted = 0;
  long long items_succeeded = 0, items_failed = 0, items_cancelled = 0, items_running = 0;
};

/// What is wrong with rows in the order in which they were seen; empty if nothing is.
inline std::string wrong_in(const std::vector<Seen>& all) {
  for (std::size_t i = 0; i != all.size(); ++i) {
    const Seen& s = all[i];
    const std::string here = " in row " + std::to_string(i) + " of " + std::to_string(all.size()) +
                             ": " + std::to_string(s.completed) + '/' + std::to_string(s.total) +
                             ", " + std::to_string(s.running) + " running, " + s.state;
    if (s.completed != s.succeeded + s.failed) return "X is not what succeeded and failed" + here;
    if (s.completed + s.cancelled + s.running + s.queued != s.total) return "no sum" + here;
    if (s.queued < 0) return "more than there are" + here;
    if (s.items_succeeded + s.items_failed + s.unlisted != s.completed) {
      return "items and batch do not agree" + here;
    }
    const bool is_listed = s.items_running + s.items_succeeded + s.items_failed != 0;
    if (is_listed && s.items_running != s.running) return "others are running" + here;
    if (s.items_cancelled > s.cancelled) return "others are cancelled" + here;
    if (s.state == "finished" && s.completed != s.total) return "finished too early" + here;
    if (i == 0 || all[i - 1].run < s.run) continue;
    const Seen& before = all[i - 1];
    if (s.run < before.run || s.completed < before.completed || s.failed < before.failed ||
        s.succeeded < before.succeeded || s.total < before.total) {
      return "it went back" + here;
    }
  }
  return {};
}

}  // namespace support
