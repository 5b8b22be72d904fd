// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>
#include <xofn/delivery/delivery.hpp>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>
#include <xofn/testing/violation.hpp>
#include <xofn/testing/violation_notes.hpp>

namespace xofn {

/// Watches any reporter of X/N, of this library or another, and lists what it broke.
///
/// It is called in place of the callback, or around it, with X and N, from any threads, and told
/// when the batch has ended. Each call is judged against the one before, as somebody would who
/// looks at the display: with `Delivery::every()` X goes 1, 2, ..., N, where a 0 may come first;
/// with `Delivery::latest()` it may skip and repeat, but not fall. N may change from call to call.
///
/// It requires one checker a batch, which outlives the calls. A negative X counts as a huge one,
/// which is above N.
///
/// It guarantees that a reporter whose calls come one after the other, each with what the one
/// before did, is never accused of what it did not do, and that no two calls overlap inside it
/// unnoticed. A call takes no lock, does not allocate, and stores nothing but numbers, however many
/// there are. Memory ordering: none. Calls are put in no order that they do not have already, so
/// that a checker hides no race from a thread sanitizer; what is asked about them is exact once
/// they are known to have returned.
///
///     ContractChecker checker;
///     #pragma omp parallel for
///     for (int i = 0; i < n; ++i) { work(i); checker(++completed, n); }
///     checker.ended();
///     std::cout << checker << '\n';
///     // 100000 calls: 3017 lost (3/100000 after 1, ...), 1502 backward (2/100000 after 3, ...)
template <class Sync = StdSync>
class BasicContractChecker {
  template <class T>
  using atomic = typename Sync::template atomic<T>;

 public:
  /// A checker of callbacks that promise to be told so.
  explicit BasicContractChecker(Delivery delivery = Delivery::every()) noexcept
      : is_every_(delivery.is_every()) {}

  BasicContractChecker(const BasicContractChecker&) = delete;
  BasicContractChecker& operator=(const BasicContractChecker&) = delete;

  /// The callback that is watched, for numbers of any type; `std::ref(checker)` where one is
  /// stored.
  template <std::integral X, std::integral N>
  void operator()(X completed, N total) noexcept {
    const Call call(*this, told_by(completed, total));
  }

  /// The same for a callback of this library, which tells an end that is no step, of a cancelled
  /// batch or of an open one, by one call more.
  void operator()(const Progress& progress) noexcept { const Call call(*this, told_by(progress)); }

  /// `f` and the watch over it, as one callback with the arguments of either: a call lasts as long
  /// as `f` does, and overlaps are found throughout. It refers to the checker and holds `f`.
  template <class F>
  [[nodiscard]] auto around(F f) {
    return Around<F>{this, std::move(f)};
  }

  /// The batch has returned, with N of N items completed: what is called from here on is late.
  void ended() noexcept { end(std::nullopt); }

  /// The same for a batch that is known to have completed `x` items: the last call is to say so. A
  /// batch that came to 0 need not have made any.
  void ended_at(std::uint64_t x) noexcept { end(x); }

  /// Whether nothing has been broken so far.
  [[nodiscard]] bool ok() const noexcept { return notes_.none(); }

  /// How often this was broken so far.
  [[nodiscard]] std::uint64_t count(Breach breach) const noexcept { return notes_.count(breach); }

  /// How many calls there were before the end.
  [[nodiscard]] std::uint64_t calls() const noexcept {
    // relaxed: a count guards no other data
    return calls_.load(std::memory_order_relaxed);
  }

  /// The first few violations of each kind, in the order of `Breach`.
  [[nodiscard]] std::vector<Violation> violations() const { return notes_.examples(); }

  /// One line: how many calls, and what they broke how often, with the first example of each.
  [[nodiscard]] std::string summary() const {
    std::ostringstream text;
    text << *this;
    return text.str();
  }

  friend std::ostream& operator<<(std::ostream& out, const BasicContractChecker& checker) {
    return out << checker.calls() << (checker.calls() == 1 ? " call: " : " calls: ")
               << checker.notes_;
  }

 private:
  /// What one call told. The first last word may repeat X.
  struct Told {
    std::uint64_t completed;
    std::uint64_t total;
    bool is_last_word;
  };

  template <std::integral X, std::integral N>
  [[nodiscard]] static Told told_by(X completed, N total) noexcept {
    return {static_cast<std::uint64_t>(completed), static_cast<std::uint64_t>(total), false};
  }
  [[nodiscard]] static Told told_by(const Progress& progress) noexcept {
    const bool is_last_word =
        progress.state == BatchState::finished || progress.state == BatchState::cancelled;
    return {progress.completed(), progress.total, is_last_word};
  }

  /// Is inside the checker as long as it lives.
  class Call {
   public:
    Call(BasicContractChecker& checker, Told told) noexcept : checker_(checker) {
      // relaxed: read-modify-writes of one word have one order, in which two calls that do not
      // overlap do not meet; anything stronger would order the reporter's calls for it
      const std::uint64_t before = checker_.inside_.fetch_add(1, std::memory_order_relaxed);
      if ((before & end_mark) != 0) {
        checker_.note(Breach::late, checker_.told(), told);
      } else {
        if (before != 0) checker_.note(Breach::overlapping, checker_.told(), told);
        checker_.judge(told);
      }
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    // relaxed: as above
    ~Call() { checker_.inside_.fetch_sub(1, std::memory_order_relaxed); }

   private:
    BasicContractChecker& checker_;
  };

  template <class F>
  struct Around {
    template <class... Arguments>
    requires std::invocable<F&, const Arguments&...>
    void operator()(const Arguments&... arguments) {
      const Call call(*checker, told_by(arguments...));
      function(arguments...);
    }

    BasicContractChecker* checker;
    F function;
  };

  void judge(Told told) noexcept {
    // relaxed, all four: calls that follow one another see each other's values without it
    const bool is_first = calls_.fetch_add(1, std::memory_order_relaxed) == 0;
    const std::uint64_t before = completed_.exchange(told.completed, std::memory_order_relaxed);
    total_.store(told.total, std::memory_order_relaxed);
    const bool was_last_word = last_word_.exchange(told.is_last_word, std::memory_order_relaxed);
    if (told.completed > told.total) note(Breach::beyond_total, before, told);
    if (told.completed < before) {
      note(Breach::backward, before, told);
    } else if (is_every_ && told.completed - before > 1) {
      note(Breach::lost, before, told);
    } else if (is_every_ && told.completed == before && !is_first &&
               (was_last_word || !told.is_last_word)) {
      note(Breach::repeated, before, told);
    }
  }

  void end(std::optional<std::uint64_t> x) noexcept {
    // relaxed: as in Call; one operation, so that each call is either inside or after
    const std::uint64_t before = inside_.fetch_or(end_mark, std::memory_order_relaxed);
    if ((before & end_mark) != 0) return;
    // relaxed, both: the last call has returned before the end, or the reporter is accused anyway
    const Told last{completed_.load(std::memory_order_relaxed),
                    total_.load(std::memory_order_relaxed), false};
    for (std::uint64_t call = 0; call < before; ++call) note(Breach::late, last.completed, last);
    const std::uint64_t due = x.value_or(last.total);
    if (last.completed != due || (calls() == 0 && !x)) note(Breach::never_complete, due, last);
  }

  [[nodiscard]] std::uint64_t told() const noexcept {
    // relaxed: to be shown, no more
    return completed_.load(std::memory_order_relaxed);
  }

  void note(Breach breach, std::uint64_t before, Told told) noexcept {
    notes_.add({breach, before, told.completed, told.total});
  }

  static constexpr std::uint64_t end_mark = std::uint64_t{1} << 63;

  const bool is_every_;
  atomic<std::uint64_t> inside_{0};  // calls that have not returned, and the mark of the end
  atomic<std::uint64_t> calls_{0};
  atomic<std::uint64_t> completed_{0};  // X and N of the last call
  atomic<std::uint64_t> total_{0};
  atomic<bool> last_word_{false};  // whether that was one
  detail::ViolationNotes<Sync> notes_;
};

using ContractChecker = BasicContractChecker<>;

}  // namespace xofn
