// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace speed {

/// How thoroughly to measure.
struct Effort {
  std::size_t rounds = 11;
  std::size_t divide_by = 1;  ///< batches are so many times shorter

  [[nodiscard]] std::size_t items(std::size_t usual) const noexcept {
    return usual / divide_by > 2 ? usual / divide_by : 2;
  }
};

/// Contestants that are measured in turn, each once a round, each round in another order: so that
/// none always comes behind the same one. The orders are the same each time.
class Contest {
 public:
  using nanoseconds = std::chrono::duration<double, std::nano>;

  /// A contestant that says itself how long it took.
  void add_timed(const std::string& name, std::function<nanoseconds()> run) {
    contestants_.push_back({name, std::move(run), {}});
  }

  /// A contestant that is timed from call to return.
  template <class Run>
  void add(const std::string& name, Run run) {
    add_timed(name, [run = std::move(run)]() mutable -> nanoseconds {
      const auto begin = std::chrono::steady_clock::now();
      run();
      return std::chrono::steady_clock::now() - begin;
    });
  }

  /// Runs each once unmeasured, and then `rounds` times. Between two runs there is a rest, in which
  /// the threads of a library fall asleep that spin for a while when they are done.
  void run(std::size_t rounds);

  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] double median_ns(const std::string& name) const;

  /// The median over the rounds of what `name` took, divided by what `other` took.
  [[nodiscard]] double ratio(const std::string& name, const std::string& other) const;

  /// The fastest by its median, but for those that are named.
  [[nodiscard]] const std::string& best_except(std::initializer_list<std::string> names) const;

  /// The names in the order in which they were added.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  struct Contestant {
    std::string name;
    std::function<nanoseconds()> run;
    std::vector<double> times;
  };

  [[nodiscard]] const Contestant& find(const std::string& name) const;

  std::vector<Contestant> contestants_;
};

/// The mean of the two in the middle, where there are two.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace speed
