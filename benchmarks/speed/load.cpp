// SPDX-License-Identifier: MIT
#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace speed {

namespace {

double steps_in_a_nanosecond() {
  constexpr std::uint32_t many = 200'000;
  auto fastest = std::numeric_limits<double>::max();
  for (int round = 0; round < 50; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    work(many);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
    fastest = std::min(fastest, time.count());
  }
  return many / fastest;
}

}  // namespace

std::uint32_t steps(nanoseconds time) {
  static const double rate = steps_in_a_nanosecond();
  return static_cast<std::uint32_t>(std::lround(rate * static_cast<double>(time.count())));
}

std::string to_text(nanoseconds time) {
  const auto ns = time.count();
  if (ns != 0 && ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + " ms";
  if (ns != 0 && ns % 1'000 == 0) return std::to_string(ns / 1'000) + " us";
  return std::to_string(ns) + " ns";
}

Load Load::uniform(nanoseconds each, std::size_t count) {
  return {each, std::vector(count, steps(each))};
}

Load Load::mixed(nanoseconds each, std::size_t count) {
  constexpr int longer = 1000;
  Load load = uniform(each, count);
  const std::uint32_t long_steps = steps(longer * each);
  std::size_t long_count = 0;
  std::uint32_t random = 1;
  for (std::uint32_t& item : load.items) {
    random = random * 1664525 + 1013904223;
    if ((random >> 8) % 100 != 0) continue;
    item = long_steps;
    ++long_count;
  }
  load.each += longer * each * static_cast<nanoseconds::rep>(long_count) /
               static_cast<nanoseconds::rep>(count);
  return load;
}

Load Load::short_then_long(std::size_t short_count, nanoseconds short_each, std::size_t long_count,
                           nanoseconds long_each) {
  Load load = uniform(short_each, short_count);
  load.items.insert(load.items.end(), long_count, steps(long_each));
  load.each = (short_each * static_cast<nanoseconds::rep>(short_count) +
               long_each * static_cast<nanoseconds::rep>(long_count)) /
              static_cast<nanoseconds::rep>(load.size());
  return load;
}

}  // namespace speed
