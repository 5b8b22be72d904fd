// SPDX-License-Identifier: MIT
#include "explore.hpp"

#include <utility>

#include "races.hpp"

namespace schedules {

namespace {

constexpr std::string_view weak = "weak;";

std::optional<std::string> run(const Program& program, Strategy& strategy,
                               Scheduler::Settings settings) {
  const std::uint64_t races = races_reported();
  auto wrong = Scheduler::instance().run(strategy, program, settings);
  if (races_reported() != races) {
    Scheduler::instance().renew_stacks();
    if (!wrong) wrong = "the thread sanitizer reports a race";
  }
  return wrong;
}

/// The same failure by a schedule with fewer choices that are not the plainest.
Failure shortest(std::string what, Choices choices, const Program& program,
                 Scheduler::Settings settings) {
  const SilentRaces silent;
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = choices.size(); i-- != 0;) {
      if (i >= choices.size() || choices[i] == 0) continue;
      Choices fewer = choices;
      fewer[i] = 0;
      Replay strategy(fewer);
      const auto wrong = run(program, strategy, settings);
      if (wrong != what) continue;
      choices = Scheduler::instance().choices();
      shorter = true;
    }
  }
  return {std::move(what), std::string(settings.weak_memory ? weak : "") + to_string(choices)};
}

bool explore_into(Explored& explored, const Program& program, Strategy& strategy,
                  std::uint64_t most, Scheduler::Settings settings) {
  while (explored.schedules < most && strategy.next()) {
    ++explored.schedules;
    if (auto wrong = run(program, strategy, settings)) {
      explored.failure =
          shortest(std::move(*wrong), Scheduler::instance().choices(), program, settings);
      return false;
    }
  }
  return explored.schedules < most;
}

}  // namespace

Explored explore_exhaustively(const Program& program, unsigned bound, std::uint64_t most,
                              Scheduler::Settings settings) {
  Explored explored;
  std::uint64_t with_fewer = 0;
  for (unsigned b = 0; !explored.complete; ++b) {
    if (explored.all && explored.schedules > most / 20) break;  // more is not worth it
    const std::uint64_t before = explored.schedules;
    Exhaustive strategy(b);
    if (!explore_into(explored, program, strategy, most, settings)) break;
    explored.bound = static_cast<int>(b);
    explored.all = b >= bound;
    explored.complete =
        explored.schedules - before == std::exchange(with_fewer, explored.schedules - before);
  }
  return explored;
}

Explored explore(const Program& program, Strategy& strategy, Scheduler::Settings settings) {
  Explored explored;
  explore_into(explored, program, strategy, ~std::uint64_t{0}, settings);
  return explored;
}

std::optional<std::string> replay(const Program& program, const std::string& schedule,
                                  Scheduler::Settings settings) {
  std::string_view choices = schedule;
  settings.weak_memory = choices.starts_with(weak);
  if (settings.weak_memory) choices.remove_prefix(weak.size());
  Replay strategy(to_choices(choices));
  return run(program, strategy, settings);
}

}  // namespace schedules
