// SPDX-License-Identifier: MIT
// Not API: what the next item of a batch needs of each of its limits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <xofn/batch/applicant.hpp>
#include <xofn/batch/holdings.hpp>
#include <xofn/batch/limit.hpp>
#include <xofn/batch/memory_exceeded.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// The limits of a batch, slots before memory, of which it has one at least; null: without. It has
/// all that an item needs or queues for all, under their locks, and so says what the item does.
template <class Sync = StdSync>
class Requests {
 public:
  using Limits = std::array<Limit<Sync>*, 2>;
  using Item = typename Applicant<Sync>::Item;

  Requests(const Limits& limits, Applicant<Sync>& applicant,
           const std::shared_ptr<Holdings<Sync>>& outer) noexcept
      : applicant_(applicant),
        limits_(limits),
        requests_{Request{applicant, outer}, Request{applicant, outer}} {}

  /// The next item needs a slot, if there are slots, and so much memory. While none waits.
  void ask(std::uint64_t memory) noexcept {
    requests_[0].need = limits_[0] == nullptr ? 0 : 1;
    requests_[1].need = memory;
  }

  /// Takes all that the item needs, or queues for all. Throws MemoryExceeded; then it does neither.
  bool take(Holdings<Sync>& holdings) {
    const Locks locks = lock_needed();
    bool has_all = true;
    for_each_needed([&](auto& limit, auto& request, std::size_t) {
      const std::uint64_t most = limit.most_for(request);
      if (request.need > most) throw MemoryExceeded(request.need, most);
      has_all = has_all && limit.has(request);
    });
    for_each_needed([&](auto& limit, auto& request, std::size_t kind) {
      if (has_all) {
        limit.take(request, holdings.shares()[kind]);
        limit.leave(request);
      } else {
        limit.queue(request);
      }
    });
    applicant_.set(has_all ? Item::none : Item::waits);
    return has_all;
  }

  /// Waits for nothing any more.
  void leave(Item item) noexcept {
    const Locks locks = lock_needed();
    for_each_needed([](auto& limit, auto& request, std::size_t) { limit.leave(request); });
    applicant_.set(item);
  }

  /// The batch is less urgent than it was: others may go before it.
  void reconsider() noexcept {
    for (Limit<Sync>* limit : limits_) {
      if (limit == nullptr) continue;
      const auto guard = limit->lock();
      limit->reconsider();
    }
  }

  /// Calls the batches that may go on since something has been given back, or a queue left.
  void call_others() {
    for (Limit<Sync>* limit : limits_) {
      if (limit == nullptr) continue;
      while (const auto crew = limit->next_to_call()) crew->call();
    }
  }

 private:
  using Request = typename Limit<Sync>::Request;
  using Locks = std::array<std::optional<typename Sync::lock>, 2>;

  /// Calls `f(limit, request, kind)` for each limit that the item needs.
  template <class F>
  void for_each_needed(F f) {
    for (std::size_t kind = 0; kind != limits_.size(); ++kind) {
      if (requests_[kind].need != 0) f(*limits_[kind], requests_[kind], kind);
    }
  }

  [[nodiscard]] Locks lock_needed() {
    Locks locks;
    for_each_needed(
        [&](auto& limit, auto&, std::size_t kind) { locks[kind].emplace(limit.lock()); });
    return locks;
  }

  Applicant<Sync>& applicant_;
  const Limits limits_;
  std::array<Request, 2> requests_;
};

}  // namespace xofn::detail
