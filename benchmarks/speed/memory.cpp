// SPDX-License-Identifier: MIT
// P9, P10: what a batch takes of the memory, asked of a program that does nothing else.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

#include "command.hpp"
#include "sections.hpp"

namespace speed {

namespace {

/// Runs it, and returns the number behind `name` in what it prints.
double footprint(const std::string& what, std::size_t items, const std::string& name) {
  const std::string command = FOOTPRINT_PROGRAM " " + what + ' ' + std::to_string(items);
  std::istringstream words(output_of(command));
  double value = 0;
  for (std::string word; words >> word >> value;) {
    if (word == name) return value;
  }
  throw std::runtime_error(command + " has not printed " + name);
}

/// Allocations an item, as far as more items mean more of them: the rest are the batch's.
double allocations(const std::string& kind, std::size_t items) {
  const double few = footprint("allocations", items, kind);
  const double many = footprint("allocations", 2 * items, kind);
  return (many - few) / static_cast<double>(items);
}

}  // namespace

void take_memory(const Effort& effort, Results& results) {
  const std::size_t items = effort.items(1'000'000);
  // Threads may come and go a few times more in the longer batch, and each is asked for anew.
  const auto none = Bound::at_most(0.0005);
  const auto add = [&](const char* what, const char* kind) {
    results.add({"P9",
                 std::string("allocations an item, ") + what,
                 allocations(kind, items),
                 none,
                 {},
                 ""});
  };
  add("void tasks, every() told", "void");
  add("results by value, every() told", "value");
  add("void tasks, on_completion", "completion");

  const std::size_t many = effort.items(100'000'000);
  const double peak = footprint("memory", many, "peak") / 1024;
  results.add({"P10",
               "peak memory of " + std::to_string(many) + " void items, every() told",
               peak,
               Bound::at_most(4),
               {},
               " MiB"});
}

}  // namespace speed
