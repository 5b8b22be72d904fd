// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace schedules {

/// One decision of a schedule: which of `count` ways to go on. The first `free` of them come at no
/// price; each of the others is a preemption, or as strange (an old value is read, a thread wakes
/// for no reason), and counts against the bound. The first is the plainest.
struct Options {
  static constexpr std::size_t most = 24;
  static constexpr std::uint8_t time = most - 1;  ///< the "thread" that lets a timed wait end

  std::size_t count = 0;
  std::size_t free = 1;
  bool are_threads = false;
  std::array<std::uint8_t, most> threads{};  ///< which, if they are
};

/// Says how each schedule goes.
class Strategy {
 public:
  virtual ~Strategy() = default;

  /// Prepares the next schedule; false if there is none left.
  virtual bool next() = 0;

  /// Called only with a `count` of 2 or more.
  virtual std::size_t choose(const Options& options) = 0;
};

/// The choices made in one schedule, of which the plainest are left out when it is written:
/// "12:1,40:2" takes way 1 at the 12th decision, way 2 at the 40th, and else way 0.
using Choices = std::vector<std::uint8_t>;
std::string to_string(const Choices& choices);
/// Throws std::invalid_argument.
Choices to_choices(std::string_view text);

/// Goes as it is told, and then the plainest way.
class Replay final : public Strategy {
 public:
  explicit Replay(Choices choices) : choices_(std::move(choices)) {}
  bool next() override;
  std::size_t choose(const Options& options) override;

 private:
  Choices choices_;
  std::size_t depth_ = 0;
  bool used_ = false;
};

/// All schedules with at most `bound` preemptions, depth first.
class Exhaustive final : public Strategy {
 public:
  explicit Exhaustive(unsigned bound) : bound_(bound) {}
  bool next() override;
  std::size_t choose(const Options& options) override;

 private:
  struct Decision {
    std::uint8_t taken;
    std::uint8_t count;
    std::uint8_t free;
    [[nodiscard]] unsigned price(unsigned way) const { return way < free ? 0 : 1; }
  };

  const unsigned bound_;
  std::vector<Decision> path_;
  std::size_t depth_ = 0;
  bool begun_ = false;
};

/// A small generator of random numbers, the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()();
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((*this)() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

/// Each schedule has its own rate of preemptions, and else they come at random.
class Random final : public Strategy {
 public:
  Random(std::uint64_t seed, std::uint64_t schedules) : dice_(seed), left_(schedules) {}
  bool next() override;
  std::size_t choose(const Options& options) override;

 private:
  Dice dice_;
  std::uint64_t left_;
  std::size_t rate_ = 2;
};

/// Probabilistic concurrency testing: threads have random priorities, and the highest runs, but for
/// a few random moments at which it falls to the lowest.
class Pct final : public Strategy {
 public:
  Pct(std::uint64_t seed, std::uint64_t schedules) : dice_(seed), left_(schedules) {}
  bool next() override;
  std::size_t choose(const Options& options) override;

 private:
  Dice dice_;
  std::uint64_t left_;
  std::size_t depth_ = 0;
  std::size_t longest_ = 16;  // decisions between threads in a schedule so far
  std::array<std::uint64_t, Options::most> priority_{};
  std::array<std::size_t, 4> changes_{};
  std::uint64_t lowest_ = 0;
};

}  // namespace schedules
