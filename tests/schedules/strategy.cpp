// SPDX-License-Identifier: MIT
#include "strategy.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace schedules {

std::string to_string(const Choices& choices) {
  std::string text;
  for (std::size_t i = 0; i != choices.size(); ++i) {
    if (choices[i] == 0) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(i) + ':' + std::to_string(choices[i]);
  }
  return text;
}

Choices to_choices(std::string_view text) {
  Choices choices;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](char before_next) {
    std::size_t n = 0;
    const auto [rest, error] = std::from_chars(at, end, n);
    const bool closed = rest == end ? before_next == ',' : *rest == before_next;
    if (error != std::errc{} || !closed || n > 1'000'000) {
      throw std::invalid_argument("no schedule: " + std::string(text));
    }
    at = rest == end ? rest : rest + 1;
    return n;
  };
  while (at != end) {
    const std::size_t place = number(':');
    if (place >= choices.size()) choices.resize(place + 1);
    choices[place] = static_cast<std::uint8_t>(number(','));
  }
  return choices;
}

bool Replay::next() { return !std::exchange(used_, true); }

std::size_t Replay::choose(const Options& options) {
  const std::size_t way = depth_ < choices_.size() ? choices_[depth_] : 0;
  ++depth_;
  return way < options.count ? way : 0;
}

bool Exhaustive::next() {
  depth_ = 0;
  if (!std::exchange(begun_, true)) return true;
  unsigned price = 0;
  for (const Decision& d : path_) price += d.price(d.taken);
  while (!path_.empty()) {
    Decision& last = path_.back();
    price -= last.price(last.taken);
    const unsigned way = last.taken + 1U;
    if (way < last.count && price + last.price(way) <= bound_) {
      last.taken = static_cast<std::uint8_t>(way);
      return true;
    }
    path_.pop_back();
  }
  return false;
}

std::size_t Exhaustive::choose(const Options& options) {
  if (depth_ == path_.size()) {
    path_.push_back({0, static_cast<std::uint8_t>(options.count),
                     static_cast<std::uint8_t>(std::min(options.free, options.count))});
  }
  const Decision& decision = path_[depth_++];
  if (decision.count != options.count) {
    throw std::logic_error(
        "a schedule goes differently the second time: something in the scenario "
        "does not come from the scheduler");
  }
  return decision.taken;
}

std::uint64_t Dice::operator()() {  // splitmix64
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

bool Random::next() {
  rate_ = std::size_t{2} << dice_.below(4);
  return left_ != 0 && left_-- != 0;
}

std::size_t Random::choose(const Options& options) {
  if (options.count > options.free && dice_.one_in(rate_)) {
    return options.free + dice_.below(options.count - options.free);
  }
  return dice_.below(options.free);
}

bool Pct::next() {
  longest_ = std::max(longest_, depth_);
  depth_ = 0;
  lowest_ = std::uint64_t{1} << 32;
  for (auto& priority : priority_) priority = lowest_ + dice_.below(std::size_t{1} << 31);
  for (auto& change : changes_) change = dice_.below(longest_);
  return left_ != 0 && left_-- != 0;
}

std::size_t Pct::choose(const Options& options) {
  if (!options.are_threads) {
    return dice_.one_in(4) ? dice_.below(options.count) : dice_.below(options.free);
  }
  const auto highest = [&] {
    std::size_t best = 0;
    for (std::size_t i = 1; i != options.count; ++i) {
      if (priority_[options.threads[i]] > priority_[options.threads[best]]) best = i;
    }
    return best;
  };
  if (std::find(changes_.begin(), changes_.end(), depth_++) != changes_.end()) {
    priority_[options.threads[highest()]] = --lowest_;
  }
  return highest();
}

}  // namespace schedules
