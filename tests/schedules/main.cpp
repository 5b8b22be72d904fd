// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crash.hpp"
#include "explore.hpp"
#include "pieces.hpp"
#include "processes.hpp"
#include "sanitizers.hpp"
#include "scenario.hpp"

namespace {

using namespace schedules;

constexpr std::string_view usage = R"(usage: xofn_schedules [OPTION]... [NAME]...

Runs the scenarios whose names contain one of NAME, or all, under the scheduler.

  --schedules N   of each kind that is drawn: random, PCT, and random with weak memory
                  (XOFN_SCHEDULES)
  --most N        at most N schedules of an exhaustive search, a quarter of them with weak memory
                  (XOFN_EXHAUSTIVE)
  --bound N       preemptions, instead of what each scenario says
  --to-bound      fail where the exhaustive search is cut before it comes to that
  --seed N        (XOFN_SEED)
  --jobs N        processes at a time, instead of one
  --replay TEXT   runs one schedule of one scenario and prints each step (XOFN_REPLAY)
  --list          prints the names
)";

struct Arguments {
  std::uint64_t schedules = thread_sanitizer ? 500 : 2'000;
  std::uint64_t most = thread_sanitizer ? 4'000 : 16'000;
  std::uint64_t seed = 1;
  unsigned jobs = 1;
  int bound = -1;
  bool to_bound = false;
  bool lists = false;
  bool replays = false;
  std::string replay;
  std::vector<std::string> names;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  const auto from_environment = [](const char* name, std::uint64_t& number) {
    if (const char* const text = std::getenv(name)) number = std::stoull(text);
  };
  from_environment("XOFN_SCHEDULES", arguments.schedules);
  from_environment("XOFN_EXHAUSTIVE", arguments.most);
  from_environment("XOFN_SEED", arguments.seed);
  if (const char* const text = std::getenv("XOFN_REPLAY")) {
    arguments.replays = true;
    arguments.replay = text;
  }
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) throw std::invalid_argument(std::string(argument) + " wants a value");
      return argv[i];
    };
    if (argument == "--schedules") {
      arguments.schedules = std::stoull(value());
    } else if (argument == "--most") {
      arguments.most = std::stoull(value());
    } else if (argument == "--jobs") {
      arguments.jobs = static_cast<unsigned>(std::stoul(value()));
    } else if (argument == "--bound") {
      arguments.bound = std::stoi(value());
    } else if (argument == "--to-bound") {
      arguments.to_bound = true;
    } else if (argument == "--seed") {
      arguments.seed = std::stoull(value());
    } else if (argument == "--replay") {
      arguments.replays = true;
      arguments.replay = value();
    } else if (argument == "--list") {
      arguments.lists = true;
    } else if (argument.starts_with("--")) {
      throw std::invalid_argument(std::string(usage));
    } else {
      arguments.names.emplace_back(argument);
    }
  }
  return arguments;
}

bool is_wanted(const Scenario& scenario, const Arguments& arguments) {
  const auto& names = arguments.names;
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return scenario.name().find(name) != std::string_view::npos;
         });
}

/// What was run of a scenario.
struct Examined {
  std::uint64_t schedules;
  Bound reached;
  Bound weakly;
  bool all;  ///< the exhaustive search came to the bound that is wanted
  bool failed;
};

/// Runs all the kinds of schedules; prints a line.
class Examination {
 public:
  Examination(const Scenario& scenario, const Arguments& arguments)
      : scenario_(scenario), arguments_(arguments) {}

  Examined run() {
    const auto begin = std::chrono::steady_clock::now();
    const Search strongly = exhaustively(false);
    Random random(arguments_.seed, arguments_.schedules);
    Pct pct(arguments_.seed, arguments_.schedules);
    drawn(random, false);
    drawn(pct, false);
    Search weakly;
    if (!thread_sanitizer) {
      weakly = exhaustively(true);
      Random weak(arguments_.seed, arguments_.schedules);
      drawn(weak, true);
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::printf("%-6s %9llu schedules %6.2f s  preemptions %s, weak %s  %.*s\n",
                failed_ ? "FAILED" : "ok", static_cast<unsigned long long>(schedules_),
                time.count(), strongly.text.c_str(), weakly.text.c_str(),
                static_cast<int>(scenario_.name().size()), scenario_.name().data());
    std::fflush(stdout);
    return {schedules_, strongly.reached, weakly.reached, strongly.all, failed_};
  }

 private:
  struct Search {
    std::string text = "-";
    Bound reached = none;
    bool all = false;  ///< up to the bound that is wanted
  };

  Search exhaustively(bool weak_memory) {
    if (failed_) return {};
    Scheduler::Settings settings;
    settings.weak_memory = weak_memory;
    const auto bound =
        arguments_.bound >= 0 ? static_cast<unsigned>(arguments_.bound) : scenario_.preemptions();
    const auto explored = explore_exhaustively(scenario_.program(), bound,
                                               arguments_.most / (weak_memory ? 4 : 1), settings);
    add(explored);
    if (explored.complete) return {"any", any, true};
    return {std::to_string(explored.bound) +
                (explored.all ? "" : " (of " + std::to_string(bound) + ")"),
            explored.bound, explored.all};
  }

  void drawn(Strategy& strategy, bool weak_memory) {
    if (failed_) return;
    Scheduler::Settings settings;
    settings.weak_memory = weak_memory;
    add(explore(scenario_.program(), strategy, settings));
  }

  void add(const Explored& explored) {
    schedules_ += explored.schedules;
    if (!explored.failure) return;
    failed_ = true;
    std::printf("%.*s: %s\n  xofn_schedules --replay '%s' '%.*s'\n",
                static_cast<int>(scenario_.name().size()), scenario_.name().data(),
                explored.failure->what.c_str(), explored.failure->replay.c_str(),
                static_cast<int>(scenario_.name().size()), scenario_.name().data());
  }

  const Scenario& scenario_;
  const Arguments& arguments_;
  std::uint64_t schedules_ = 0;
  bool failed_ = false;
};

int replay_one(const std::vector<const Scenario*>& wanted, const std::string& schedule) {
  if (wanted.size() != 1) throw std::invalid_argument("a replay is of one scenario: name it");
  Scheduler::Settings settings;
  settings.prints = true;
  const auto wrong = replay(wanted.front()->program(), schedule, settings);
  std::printf("%s\n", wrong ? wrong->c_str() : "nothing is wrong");
  return wrong ? 1 : 0;
}

std::vector<const Scenario*> wanted(const Arguments& arguments) {
  std::vector<const Scenario*> scenarios;
  for (const Scenario* scenario : Scenario::all()) {
    if (is_wanted(*scenario, arguments)) scenarios.push_back(scenario);
  }
  std::sort(scenarios.begin(), scenarios.end(),
            [](const Scenario* a, const Scenario* b) { return a->name() < b->name(); });
  return scenarios;
}

int run(const Arguments& arguments) {
  const auto scenarios = wanted(arguments);
  if (arguments.replays) return replay_one(scenarios, arguments.replay);
  if (arguments.lists) {
    for (const Scenario* scenario : scenarios) {
      std::printf("%.*s\n", static_cast<int>(scenario->name().size()), scenario->name().data());
    }
    return 0;
  }
  const auto examined = in_processes<Examined>(arguments.jobs, scenarios.size(), [&](auto i) {
    report_crashes_of(*scenarios[i]);
    return Examination(*scenarios[i], arguments).run();
  });
  std::uint64_t schedules = 0;
  std::uint64_t exhausted = 0;
  std::uint64_t failed = 0;
  Pieces pieces;
  for (std::size_t i = 0; i != examined.size(); ++i) {
    const Examined of_one = examined[i].value_or(Examined{0, none, none, false, true});
    schedules += of_one.schedules;
    exhausted += of_one.all ? 1 : 0;
    failed += of_one.failed || of_one.schedules == 0 ? 1 : 0;
    pieces.add(scenarios[i]->name(), of_one.schedules, of_one.reached, of_one.weakly);
  }
  pieces.print();
  std::printf("%llu schedules%s of %zu scenarios, %llu to their bound; %llu failed\n",
              static_cast<unsigned long long>(schedules),
              thread_sanitizer ? ", each looked at for races," : "", scenarios.size(),
              static_cast<unsigned long long>(exhausted), static_cast<unsigned long long>(failed));
  const bool falls_short = arguments.to_bound && exhausted != scenarios.size();
  return failed == 0 && !falls_short && !scenarios.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
