// SPDX-License-Identifier: MIT
// Not API: a stored function that says of tasks how much they weigh, or need.
#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace xofn::detail {

template <class Task>
class Weigher {
 public:
  virtual ~Weigher() = default;

  /// Passes on what the function throws; std::invalid_argument for less than 0.
  [[nodiscard]] virtual std::uint64_t weigh(const Task& task) = 0;
};

template <class Task, class F>
class WeigherOf final : public Weigher<Task> {
 public:
  /// `what` names, in an error, what the function has returned.
  WeigherOf(F function, const char* what) : function_(std::move(function)), what_(what) {}

  [[nodiscard]] std::uint64_t weigh(const Task& task) override {
    const std::integral auto weight = function_(task);
    if constexpr (std::is_signed_v<decltype(weight)>) {
      if (weight < 0) {
        throw std::invalid_argument(std::string("xofn: ") + what_ + " of " +
                                    std::to_string(weight));
      }
    }
    return static_cast<std::uint64_t>(weight);
  }

 private:
  F function_;
  const char* what_;
};

}  // namespace xofn::detail
