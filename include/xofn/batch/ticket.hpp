// SPDX-License-Identifier: MIT
// Not API: what a batch gives to an executor.
#pragma once

#include <memory>
#include <utility>
#include <xofn/batch/executor.hpp>

namespace xofn::detail {

template <class Sync>
class CrewThreads;

/// A place in an executor's queue from which a thread comes to work on a batch. Signs off if it is
/// destroyed without having been run.
template <class Sync>
class Ticket {
 public:
  explicit Ticket(std::shared_ptr<CrewThreads<Sync>> crew) noexcept : crew_(std::move(crew)) {}
  Ticket(Ticket&&) noexcept = default;
  Ticket& operator=(Ticket&&) noexcept = default;
  ~Ticket() {
    if (crew_ != nullptr) crew_->drop_ticket();
  }

  [[nodiscard]] const void* owner() const noexcept { return crew_.get(); }

  void operator()() {
    const std::shared_ptr<CrewThreads<Sync>> crew = std::move(crew_);
    if (crew != nullptr) crew->use_ticket();
  }

 private:
  std::shared_ptr<CrewThreads<Sync>> crew_;
};

/// Where a batch runs, and with how many at once.
template <class Sync>
struct Workforce {
  ExecutorRef<Ticket<Sync>> executor;
  unsigned max_workers;
  bool has_own_threads = false;  ///< nothing else runs there
};

}  // namespace xofn::detail
