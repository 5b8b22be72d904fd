// SPDX-License-Identifier: MIT
// Not API: where a checker keeps what it has found.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <utility>
#include <vector>
#include <xofn/sync.hpp>
#include <xofn/testing/violation.hpp>

namespace xofn::detail {

/// How often each breach was found, and the first few of each; from any threads, without a lock.
template <class Sync = StdSync>
class ViolationNotes {
 public:
  void add(const Violation& violation) noexcept {
    Note& note = notes_[static_cast<std::size_t>(violation.breach)];
    // relaxed: each gets a number of its own, and nothing is read through it
    const std::uint64_t number = note.count.fetch_add(1, std::memory_order_relaxed);
    if (number >= note.examples.size()) return;
    Example& example = note.examples[static_cast<std::size_t>(number)];
    example.violation = violation;
    // release: the violation; pairs with the acquire in examples()
    example.is_written.store(true, std::memory_order_release);
  }

  [[nodiscard]] std::uint64_t count(Breach breach) const noexcept {
    // relaxed: a count guards no other data
    return notes_[static_cast<std::size_t>(breach)].count.load(std::memory_order_relaxed);
  }

  [[nodiscard]] bool none() const noexcept {
    return std::all_of(breaches.begin(), breaches.end(), [&](Breach b) { return count(b) == 0; });
  }

  /// In the order of `Breach`.
  [[nodiscard]] std::vector<Violation> examples() const {
    std::vector<Violation> all;
    for (const Note& note : notes_) {
      for (const Example& example : note.examples) {
        // acquire: the violation; pairs with the release in add()
        if (example.is_written.load(std::memory_order_acquire)) all.push_back(example.violation);
      }
    }
    return all;
  }

  /// "3017 lost (3/10 after 1, ...), 1 late (...)": how often each, and the first of each.
  friend std::ostream& operator<<(std::ostream& out, const ViolationNotes& notes) {
    if (notes.none()) return out << "nothing broken";
    const char* separator = "";
    const auto all = notes.examples();
    for (const Breach breach : breaches) {
      const std::uint64_t count = notes.count(breach);
      if (count == 0) continue;
      out << std::exchange(separator, ", ");
      if (breach != Breach::never_complete) out << count << ' ';
      out << to_string(breach);
      const auto first = std::find_if(all.begin(), all.end(),
                                      [&](const Violation& v) { return v.breach == breach; });
      if (first != all.end()) out << " (" << *first << (count > 1 ? ", ...)" : ")");
    }
    return out;
  }

 private:
  struct Example {
    typename Sync::template atomic<bool> is_written{false};
    Violation violation;  // its writer's until it is written
  };

  struct Note {
    typename Sync::template atomic<std::uint64_t> count{0};
    std::array<Example, 4> examples{};
  };

  std::array<Note, breaches.size()> notes_{};
};

}  // namespace xofn::detail
