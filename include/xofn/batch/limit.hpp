// SPDX-License-Identifier: MIT
// Not API: something of which running items hold shares, and of which there is only so much.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/applicant.hpp>
#include <xofn/batch/holdings.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Batches whose next item cannot have its share queue for it. What an item holds that they run
/// under they may borrow as soon as it is idle. What is free they have in turn, in the order in
/// which they came: who is first keeps the others waiting until there is enough for it, so that
/// small shares do not starve big ones.
///
/// Nobody may be kept waiting for whom the first one waits in the end. It waits for items to end
/// that run, and these for nothing but batches under them: such a batch, of `Urgency::holdings`, is
/// exempt, unless it is waiting for a loan as well, which comes back without anyone's turn. And the
/// first one waits for a thread. If it is not sure to come, who keeps a thread waiting passes by.
///
/// Calls are under the lock, but for lock(), in_use() and next_to_call(). Who needs two limits
/// locks slots before memory, and queues for both at once, so that no two wait for each other.
template <class Sync = StdSync>
class Limit {
 public:
  struct Part {
    std::string name;
    std::uint64_t capacity;  ///< below 2^32 where there are several
    std::uint64_t used = 0;
  };

  /// A batch's place in the queue, and how much its next item needs.
  class Request {
   public:
    /// For a batch that runs under what holds `outer`.
    Request(Applicant<Sync>& applicant, std::shared_ptr<Holdings<Sync>> outer) noexcept
        : applicant_(applicant), outer_(std::move(outer)) {}
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    std::uint64_t need = 0;  ///< not changed while it is queued

   private:
    friend class Limit;

    Applicant<Sync>& applicant_;
    const std::shared_ptr<Holdings<Sync>> outer_;
    std::uint64_t called_at_ = 0;
    bool is_queued_ = false;
    Request* before_ = nullptr;  // in the queue
    Request* behind_ = nullptr;
  };

  explicit Limit(std::vector<Part> parts) noexcept : parts_(std::move(parts)) {}
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

  /// Memory ordering: what an item did before its share was given back is visible to the item that
  /// holds it next.
  [[nodiscard]] typename Sync::lock lock() const { return typename Sync::lock(mutex_); }

  /// Their names and capacities do not change, and need no lock.
  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }

  [[nodiscard]] std::uint64_t in_use() const {
    const auto guard = lock();
    std::uint64_t all = 0;
    for (const Part& part : parts_) all += part.used;
    return all;
  }

  /// The most that an item of the batch may need. Not more than an item holds that it runs under:
  /// that one would keep its share while this one waits for the rest, and so might others.
  [[nodiscard]] std::uint64_t most_for(const Request& request) const noexcept {
    if (const auto lender = lender_of(request)) return lender->amount;
    std::uint64_t most = 0;
    for (const Part& part : parts_) most = std::max(most, part.capacity);
    return most;
  }

  /// Whether the batch can have what it needs, which is not more than the most.
  [[nodiscard]] bool has(const Request& request) const noexcept {
    const auto lender = lender_of(request);
    if (lender != nullptr && !lender->is_lent) return true;
    return roomiest(request.need) != parts_.size() && is_in_turn(request);
  }

  /// Takes what it has.
  void take(const Request& request, Share<Sync>& share) noexcept {
    share.limit = this;
    share.amount = request.need;
    share.lender = lender_of(request);
    if (share.lender != nullptr && !share.lender->is_lent) {
      share.lender->is_lent = true;
      share.part = share.lender->part;
    } else {
      share.lender = nullptr;
      share.part = roomiest(share.amount);
      parts_[share.part].used += share.amount;
    }
  }

  /// The item that holds the share has ended. While it is lent it stays in use.
  void give_back(Share<Sync>& ended) noexcept {
    ended.has_ended = true;
    std::shared_ptr<Share<Sync>> lender;  // keeps what `share` points to
    for (Share<Sync>* share = &ended; share->has_ended && !share->is_lent; share = lender.get()) {
      ++changes_;
      if (share->lender == nullptr) {
        parts_[share->part].used -= share->amount;
        return;
      }
      lender = std::exchange(share->lender, nullptr);
      lender->is_lent = false;
    }
  }

  void queue(Request& request) noexcept {
    if (std::exchange(request.is_queued_, true)) return;
    request.before_ = std::exchange(last_, &request);
    request.behind_ = nullptr;
    (request.before_ == nullptr ? first_ : request.before_->behind_) = &request;
  }

  void leave(Request& request) noexcept {
    if (!std::exchange(request.is_queued_, false)) return;
    (request.before_ == nullptr ? first_ : request.before_->behind_) = request.behind_;
    (request.behind_ == nullptr ? last_ : request.behind_->before_) = request.before_;
    ++changes_;
  }

  /// The urgency of a batch has changed.
  void reconsider() noexcept { ++changes_; }

  /// The crew of a batch that may have what it needs since something has changed, and was not
  /// called for that; null if there is none. The batch itself may have ended by the time it is
  /// called.
  [[nodiscard]] std::shared_ptr<Called> next_to_call() {
    const auto guard = lock();
    for (Request* request = first_; request != nullptr; request = request->behind_) {
      if (request->called_at_ == changes_ || !has(*request)) continue;
      request->called_at_ = changes_;
      request->applicant_.set(Applicant<Sync>::Item::called);
      return request->applicant_.crew();
    }
    return nullptr;
  }

 private:
  [[nodiscard]] std::shared_ptr<Share<Sync>> lender_of(const Request& request) const noexcept {
    return Holdings<Sync>::find(request.outer_, *this);
  }

  /// Of the parts that have room for so much the one of which the least is used, as a share of its
  /// capacity; the number of parts if there is none.
  [[nodiscard]] std::size_t roomiest(std::uint64_t need) const noexcept {
    std::size_t best = parts_.size();
    for (std::size_t i = 0; i != parts_.size(); ++i) {
      const Part& part = parts_[i];
      if (part.capacity - part.used < need) continue;
      const bool is_better = best == parts_.size() ||
                             part.used * parts_[best].capacity < parts_[best].used * part.capacity;
      if (is_better) best = i;
    }
    return best;
  }

  /// Who can wait for a loan has no need to pass others.
  [[nodiscard]] Urgency urgency(const Request& request) const noexcept {
    const Urgency urgency = request.applicant_.urgency();
    return lender_of(request) == nullptr ? urgency : std::min(urgency, Urgency::sure);
  }

  /// Whether it need not wait for anyone who has come earlier.
  [[nodiscard]] bool is_in_turn(const Request& request) const noexcept {
    const Urgency own = urgency(request);
    if (own == Urgency::holdings) return true;
    bool may_pass = false;
    for (const Request* other = first_; other != nullptr; other = other->behind_) {
      if (other == &request) break;
      const Urgency others = urgency(*other);
      if (others == Urgency::none) may_pass = own == Urgency::thread;
      if (!may_pass || others >= Urgency::thread) return false;
    }
    return true;
  }

  mutable typename Sync::mutex mutex_;
  std::vector<Part> parts_;
  Request* first_ = nullptr;  // of the queue, which cannot fail, as it owns nothing
  Request* last_ = nullptr;
  std::uint64_t changes_ = 0;
};

}  // namespace xofn::detail
