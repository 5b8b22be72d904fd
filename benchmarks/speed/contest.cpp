// SPDX-License-Identifier: MIT
#include "contest.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>
#include <thread>

namespace speed {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void Contest::run(std::size_t rounds) {
  constexpr std::chrono::milliseconds rest{8};
  for (Contestant& contestant : contestants_) contestant.run();
  std::vector<std::size_t> order(contestants_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 draw;
  for (std::size_t round = 0; round != rounds; ++round) {
    std::shuffle(order.begin(), order.end(), draw);
    for (const std::size_t next : order) {
      std::this_thread::sleep_for(rest);
      Contestant& contestant = contestants_[next];
      contestant.times.push_back(contestant.run().count());
    }
  }
}

bool Contest::has(const std::string& name) const {
  return std::any_of(contestants_.begin(), contestants_.end(),
                     [&](const Contestant& contestant) { return contestant.name == name; });
}

const Contest::Contestant& Contest::find(const std::string& name) const {
  for (const Contestant& contestant : contestants_) {
    if (contestant.name == name) return contestant;
  }
  throw std::logic_error("no contestant " + name);
}

double Contest::median_ns(const std::string& name) const { return median(find(name).times); }

double Contest::ratio(const std::string& name, const std::string& other) const {
  std::vector<double> ratios = find(name).times;
  const std::vector<double>& others = find(other).times;
  for (std::size_t i = 0; i != ratios.size(); ++i) ratios[i] /= others[i];
  return median(std::move(ratios));
}

const std::string& Contest::best_except(std::initializer_list<std::string> names) const {
  const Contestant* best = nullptr;
  for (const Contestant& contestant : contestants_) {
    if (std::find(names.begin(), names.end(), contestant.name) != names.end()) continue;
    if (best == nullptr || median(contestant.times) < median(best->times)) best = &contestant;
  }
  if (best == nullptr) throw std::logic_error("no other contestant");
  return best->name;
}

std::vector<std::string> Contest::names() const {
  std::vector<std::string> names;
  for (const Contestant& contestant : contestants_) names.push_back(contestant.name);
  return names;
}

}  // namespace speed
