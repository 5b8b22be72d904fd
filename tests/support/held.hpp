// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <vector>

#include <xofn/batch_processor.hpp>

#include "gate.hpp"

namespace support {

/// How much of something tasks hold at once, by what they say themselves.
class Held {
 public:
  explicit Held(std::int64_t most) : most_(most) {}

  class Part {
   public:
    Part(Held& held, std::int64_t amount) : held_(held), amount_(amount) { held_.add(amount_); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    ~Part() { held_.add(-amount_); }

   private:
    Held& held_;
    const std::int64_t amount_;
  };

  /// Lives as long as a task that holds so much.
  [[nodiscard]] Part hold(std::int64_t amount = 1) { return {*this, amount}; }

  /// Whether it was ever more than there is.
  [[nodiscard]] bool was_exceeded() const { return exceeded_.load(); }
  [[nodiscard]] std::int64_t now() const { return now_.load(); }

 private:
  void add(std::int64_t amount) {
    // relaxed: an ordering here would hide that the library forgot its own
    const auto now = now_.fetch_add(amount, std::memory_order_relaxed) + amount;
    if (now > most_) exceeded_.store(true, std::memory_order_relaxed);
  }

  const std::int64_t most_;
  std::atomic<std::int64_t> now_{0};
  std::atomic<bool> exceeded_{false};
};

/// A batch of one item that keeps what it was given, on a thread of its own, until it is let go.
class Holder {
 public:
  /// Returns once the item runs; `need` is of no interest where there is no budget.
  explicit Holder(const xofn::BatchOptions& limits, std::uint64_t need = 1)
      : processor_(limits), batch_(start(need)) {
    REQUIRE(eventually([&] { return batch_.progress().running == 1; }));
    REQUIRE(begun_.wait());
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() { let_go(); }

  /// Returns once the item has given back what it held.
  void let_go() {
    gate_.open();
    batch_.wait();
  }

 private:
  xofn::Batch<void> start(std::uint64_t need) {
    processor_.memory_by([](const std::uint64_t& bytes) { return bytes; });
    return processor_.start(std::vector<std::uint64_t>{need}, [this](std::uint64_t) {
      begun_.open();
      gate_.wait();
    });
  }

  Gate gate_;
  Gate begun_;
  xofn::BatchProcessor<std::uint64_t> processor_;
  xofn::Batch<void> batch_;
};

}  // namespace support
