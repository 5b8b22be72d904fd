// SPDX-License-Identifier: MIT
// Whole scenarios at random, and the contract as the one oracle.
//
//     xofn_properties                  the kept cases, and then as many at random as
//                                      XOFN_PROPERTY_CASES says of each kind
//     xofn_properties --soak MINUTES   at random until the time is up, and figures at the end
//     xofn_properties --seed SEED      a scenario of the soak again, many times, and made smaller
//     if
//                                      it fails
#include <rapidcheck.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include "../support/scale.hpp"
#include "batch_trial.hpp"
#include "counter_scenario.hpp"
#include "figures.hpp"
#include "kept_cases.hpp"
#include "tracker_scenario.hpp"
#include "watchdog.hpp"

namespace properties {
namespace {

Watchdog* watchdog = nullptr;

/// Runs a scenario so many times, or until something is wrong.
template <class Scenario>
std::string wrong_in(const Scenario& scenario, int times) {
  std::ostringstream text;
  text << scenario;
  std::string answer;
  for (int i = 0; i < times && answer.empty(); ++i) {
    watchdog->begin(text.str());
    figures.scenarios.fetch_add(1);
    answer = wrong(scenario);
  }
  if (!answer.empty()) figures.violations.fetch_add(1);
  return answer;
}

/// What was wrong once is not wrong each time: smaller cases are given more chances.
constexpr int again = support::rounds(100);

template <class Scenario>
bool holds_at_random(const char* name) {
  bool has_failed = false;
  return rc::check(name, [&](const Scenario& scenario) {
    const std::string text = wrong_in(scenario, has_failed ? again : 1);
    has_failed = has_failed || !text.empty();
    if (text.empty()) return;
    std::cerr << "fails: " << text << "\n  " << scenario << std::endl;  // may hold the next time
    RC_FAIL(text);
  });
}

template <class Scenario>
bool holds_for(const std::vector<Scenario>& kept) {
  bool holds = true;
  for (const Scenario& scenario : kept) {
    const std::string text = wrong_in(scenario, again);
    if (text.empty()) continue;
    std::cerr << "a kept case fails: " << text << "\n  " << scenario << '\n';
    holds = false;
  }
  return holds;
}

/// rapidcheck reads the number of cases from RC_PARAMS, among other things.
void choose_cases() {
  const char* const given = std::getenv("RC_PARAMS");
  std::string params = given == nullptr ? "" : given;
  if (params.find("max_success") != std::string::npos) return;
  const char* const cases = std::getenv("XOFN_PROPERTY_CASES");
  params += " max_success=" +
            (cases == nullptr ? std::to_string(support::thread_sanitizer ? 1000 : 2000) : cases);
  setenv("RC_PARAMS", params.c_str(), 1);
}

void print_figures() {
  std::cout << figures.scenarios << " scenarios: " << figures.batches << " batches, "
            << figures.trackers << " trackers, " << figures.counters << " counters; "
            << figures.items << " items, " << figures.callbacks << " callbacks checked; "
            << figures.violations << " violations" << std::endl;
}

int check_properties() {
  choose_cases();
  bool holds = holds_for(kept_batches);
  holds = holds_for(kept_trackers) && holds;
  holds = holds_for(kept_counters) && holds;
  holds = holds_at_random<BatchScenario>("batches keep the contract") && holds;
  holds = holds_at_random<TrackerScenario>("trackers keep the contract") && holds;
  holds = holds_at_random<CounterScenario>("counters lose nothing") && holds;
  print_figures();
  return holds ? 0 : 1;
}

/// The scenario that a seed stands for, and smaller ones.
template <class Scenario>
rc::Shrinkable<Scenario> scenario_of(std::uint64_t seed) {
  return rc::gen::arbitrary<Scenario>()(rc::Random(seed));
}

/// A smaller scenario that fails, of which no smaller one does.
template <class Scenario>
Scenario smallest(rc::Shrinkable<Scenario> failing) {
  for (auto smaller = failing.shrinks(); auto next = smaller.next();) {
    if (wrong_in(next->value(), again).empty()) continue;
    failing = *std::move(next);
    smaller = failing.shrinks();
  }
  return failing.value();
}

/// Runs a scenario; one that is run many times is made smaller if it fails.
template <class Scenario>
bool holds_with(std::uint64_t seed, int times) {
  const auto scenario = scenario_of<Scenario>(seed);
  const std::string text = wrong_in(scenario.value(), times);
  if (text.empty()) return true;
  std::cerr << "seed " << seed << ": " << text << "\n  " << scenario.value() << std::endl;
  if (times > 1) std::cerr << "made smaller:\n  " << smallest(scenario) << std::endl;
  return false;
}

/// The seed says which kind it is, too.
bool holds_with(std::uint64_t seed, int times) {
  if (seed % 16 == 0) return holds_with<CounterScenario>(seed, times);
  if (seed % 4 == 0) return holds_with<TrackerScenario>(seed, times);
  return holds_with<BatchScenario>(seed, times);
}

int soak(double minutes) {
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double, std::ratio<60>>(minutes);
  std::uint64_t seed = std::random_device{}();
  std::cout << "from seed " << seed << " for " << minutes << " minutes" << std::endl;
  while (std::chrono::steady_clock::now() < end) holds_with(seed++, 1);
  print_figures();
  return figures.violations == 0 && figures.scenarios != 0 ? 0 : 1;
}

int run_again(std::uint64_t seed) {
  const bool holds = holds_with(seed, again);
  print_figures();
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace properties

int main(int argc, char** argv) {
  properties::Watchdog watchdog;
  properties::watchdog = &watchdog;
  if (argc == 1) return properties::check_properties();
  if (argc == 3 && std::strcmp(argv[1], "--soak") == 0) {
    return properties::soak(std::stod(argv[2]));
  }
  if (argc == 3 && std::strcmp(argv[1], "--seed") == 0) {
    return properties::run_again(std::stoull(argv[2]));
  }
  std::cerr << "usage: " << argv[0] << " [--soak MINUTES | --seed SEED]\n";
  return 2;
}
