// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "machine.hpp"

namespace {

/// Reports as usual, and ends with a table for each group of benchmarks named "group/kind": what
/// one operation takes, by kind and number of threads. Of repetitions it shows the median.
class TableReporter : public benchmark::ConsoleReporter {
 public:
  TableReporter() : ConsoleReporter(OO_Tabular) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.iterations == 0 || run.run_type != Run::RT_Iteration) continue;
      const std::string& name = run.run_name.function_name;
      const auto slash = name.find('/');
      if (slash == name.npos) continue;
      Group& group = groups_[name.substr(0, slash)];
      const std::string kind = name.substr(slash + 1);
      if (!group.times.contains(kind)) group.kinds.push_back(kind);
      group.times[kind][run.threads].push_back(run.GetAdjustedRealTime());
    }
  }

  void Finalize() override {
    std::cout << std::fixed << std::setprecision(1);
    for (const auto& [name, group] : groups_) print(name, group);
  }

 private:
  using Times = std::map<std::int64_t, std::vector<double>>;  // by the number of threads
  struct Group {
    std::vector<std::string> kinds;  // in the order of their first run
    std::map<std::string, Times> times;
  };

  static double median(std::vector<double> times) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
  }

  static void print_name(const std::string& name) {
    std::cout << std::left << std::setw(22) << name << std::right;
  }

  static void print(const std::string& name, const Group& group) {
    std::cout << '\n' << name << ": ns an operation, all threads together\n";
    print_name("threads");
    for (const auto& [threads, times] : group.times.at(group.kinds.front())) {
      std::cout << std::setw(8) << threads;
    }
    std::cout << '\n';
    for (const std::string& kind : group.kinds) {
      print_name(kind);
      for (const auto& [threads, times] : group.times.at(kind)) {
        std::cout << std::setw(8) << median(times);
      }
      std::cout << '\n';
    }
    if (!group.times.contains("atomic") || !group.times.contains("mutex")) return;
    print_name("mutex / atomic");
    for (const auto& [threads, times] : group.times.at("mutex")) {
      std::cout << std::setw(7) << median(times) / median(group.times.at("atomic").at(threads))
                << 'x';
    }
    std::cout << '\n';
  }

  std::map<std::string, Group> groups_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  std::cout << machine() << '\n';
  TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}
