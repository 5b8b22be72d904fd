// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace schedules {

/// How far the search went: all schedules with at most so many preemptions have been run.
using Bound = int;
inline constexpr Bound none = -1;                                // not even all with no preemption
inline constexpr Bound any = std::numeric_limits<Bound>::max();  // there are no others

/// What was run of the scenarios of each piece of the library: the words before the colon.
class Pieces {
 public:
  void add(std::string_view scenario, std::uint64_t schedules, Bound reached, Bound weakly) {
    Piece& piece = pieces_[std::string(scenario.substr(0, scenario.find(':')))];
    ++piece.scenarios;
    piece.schedules += schedules;
    piece.reached.add(reached);
    piece.weakly.add(weakly);
  }

  /// A table, with an empty line before and after it. Of the bounds, the least and the greatest
  /// that the search of one of the scenarios has reached.
  void print() const {
    std::printf("\n%-20s  scenarios   schedules  preemptions  with weak memory\n", "piece");
    for (const auto& [name, piece] : pieces_) {
      std::printf("%-20s  %9llu  %10llu  %11s  %16s\n", name.c_str(),
                  static_cast<unsigned long long>(piece.scenarios),
                  static_cast<unsigned long long>(piece.schedules), piece.reached.text().c_str(),
                  piece.weakly.text().c_str());
    }
    std::printf("\n");
  }

 private:
  struct Bounds {
    void add(Bound bound) {
      least = std::min(least, bound);
      most = std::max(most, bound);
    }

    [[nodiscard]] std::string text() const {
      const auto one = [](Bound b) {
        return b == none ? "none" : b == any ? "any" : std::to_string(b);
      };
      return least == most ? one(least) : one(least) + " to " + one(most);
    }

    Bound least = any;
    Bound most = none;
  };

  struct Piece {
    std::uint64_t scenarios = 0;
    std::uint64_t schedules = 0;
    Bounds reached;
    Bounds weakly;
  };

  std::map<std::string, Piece> pieces_;
};

}  // namespace schedules
