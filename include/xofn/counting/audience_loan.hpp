// SPDX-License-Identifier: MIT
// Not API: how a counter comes by its audience.
#pragma once

#include <cstdint>
#include <utility>
#include <xofn/counting/audience.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// An audience that is lent to one counter for the counter's life.
template <class Sync>
class AudienceLoan {
 public:
  /// Leads to the audience without touching the loan or its counter.
  class Ticket {
   public:
    /// The count has become `now`.
    void announce(std::int64_t now) const {
      if (audience_->cares_for(now)) [[unlikely]]
        audience_->announce(loan_, now);
    }

   private:
    friend AudienceLoan;
    explicit Ticket(Audience<Sync>& audience) noexcept
        : audience_(&audience), loan_(audience.loan()) {}

    Audience<Sync>* audience_;
    std::uint64_t loan_;
  };

  AudienceLoan() : ticket_(lend()) {}
  AudienceLoan(const AudienceLoan&) = delete;
  AudienceLoan& operator=(const AudienceLoan&) = delete;
  ~AudienceLoan() {
    ticket_.audience_->end_loan();
    take_back(*ticket_.audience_);
  }

  [[nodiscard]] Ticket ticket() const noexcept { return ticket_; }
  [[nodiscard]] Audience<Sync>& operator*() const noexcept { return *ticket_.audience_; }
  [[nodiscard]] Audience<Sync>* operator->() const noexcept { return ticket_.audience_; }

 private:
  struct Library {
    typename Sync::mutex mutex;
    Audience<Sync>* free = nullptr;
  };

  /// Never destroyed, and neither is an audience: there are as many as there have been counters at
  /// the same time.
  static Library& library() {
    static Library& instance = *new Library;
    return instance;
  }

  static Audience<Sync>& lend() {
    {
      const typename Sync::lock guard(library().mutex);
      if (Audience<Sync>* first = library().free) {
        library().free = std::exchange(first->next_free, nullptr);
        return *first;
      }
    }
    return *new Audience<Sync>;
  }

  static void take_back(Audience<Sync>& audience) {
    const typename Sync::lock guard(library().mutex);
    audience.next_free = std::exchange(library().free, &audience);
  }

  const Ticket ticket_;
};

}  // namespace xofn::detail
