// SPDX-License-Identifier: MIT
// Not API: a batch that may have to wait for what its next item needs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Somebody who comes when called, from any thread; nothing happens when it is too late.
class Called {
 public:
  virtual void call() noexcept = 0;

 protected:
  ~Called() = default;
};

/// Whether a thread is sure to come when a batch is called, and whom it might keep from what they
/// need while it waits.
enum class Urgency : std::uint8_t {
  none,     ///< its executor may have no thread for it, and nobody needs it
  sure,     ///< it has threads of its own, or one that waits for it and works on it
  thread,   ///< and that one may be needed: it is the executor's, or inside a task or a callback
  holdings  ///< under a batch with limits, whose items hold what others wait for
};

/// Whether a batch has an item that was claimed and may not start yet, and how urgent it is. The
/// limits that the item waits for know the batch by this.
template <class Sync = StdSync>
class Applicant {
 public:
  enum class Item : std::uint8_t {
    none,
    waits,
    called  ///< it may be that it can start now
  };

  /// `least` is how urgent it is while nobody waits for it.
  Applicant(std::shared_ptr<Called> crew, Urgency least) noexcept : crew_(std::move(crew)) {
    add(least);
  }

  [[nodiscard]] const std::shared_ptr<Called>& crew() const noexcept { return crew_; }

  /// Store/load pair with Crew::use_ticket(): who calls a batch says so here and then looks for
  /// idle helpers and free tickets. All are seq_cst.
  [[nodiscard]] Item item() const noexcept { return item_.load(); }
  void set(Item item) noexcept { item_.store(item); }

  [[nodiscard]] Urgency urgency() const noexcept {
    for (const Urgency u : {Urgency::holdings, Urgency::thread, Urgency::sure}) {
      if (waiting_[static_cast<std::size_t>(u)].load() != 0) return u;
    }
    return Urgency::none;
  }

  /// One more makes it so urgent, or one less.
  void add(Urgency u) noexcept { waiting_[static_cast<std::size_t>(u)].fetch_add(1); }
  void remove(Urgency u) noexcept { waiting_[static_cast<std::size_t>(u)].fetch_sub(1); }

 private:
  const std::shared_ptr<Called> crew_;
  typename Sync::template atomic<Item> item_{Item::none};
  std::array<typename Sync::template atomic<std::uint32_t>, 4> waiting_{};  // by urgency
};

}  // namespace xofn::detail
