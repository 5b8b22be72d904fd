// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <xofn/console/cells.hpp>
#include <xofn/console/text.hpp>

using xofn::detail::cells;
using xofn::detail::cut;
using xofn::detail::printable;

TEST_CASE("A character fills one cell, a wide one two, and a mark none") {
  CHECK(cells("") == 0);
  CHECK(cells("hashing") == 7);
  CHECK(cells("größe") == 5);
  CHECK(cells("привет") == 6);
  CHECK(cells("✓ → ─ █ é") == 9);
  CHECK(cells("数える") == 6);
  CHECK(cells("한국어") == 6);
  CHECK(cells("ﾊﾝｶｸ") == 4);      // half-width
  CHECK(cells("ＦＵＬＬ") == 8);  // full-width
  CHECK(cells("🦀") == 2);
  CHECK(cells("⌚✅⭐") == 6);
  CHECK(cells("\U00020000\U0003fffd") == 4);
  CHECK(cells("e\u0301") == 1);
  CHECK(cells("o\u0302\u0323") == 1);
  CHECK(cells("a\u200bb") == 2);
}

TEST_CASE("What several characters make counts as no less than any terminal takes for it") {
  CHECK(cells("❤") == 1);
  CHECK(cells("❤\ufe0f") == 2);
  CHECK(cells("⌚\ufe0f") == 2);
  CHECK(cells("🦀\ufe0f") == 2);
  CHECK(cells("\ufe0f") == 0);
  CHECK(cells("1\ufe0f\u20e3") == 2);
  CHECK(cells("👍🏽") == 4);
  CHECK(cells("👩\u200d🚀") == 4);
}

TEST_CASE("The tables are in order") {
  const auto in_order = [](const auto& ranges) {
    return std::is_sorted(std::begin(ranges), std::end(ranges),
                          [](const auto& a, const auto& b) { return a.last < b.first; }) &&
           std::all_of(std::begin(ranges), std::end(ranges),
                       [](const auto& range) { return range.first <= range.last; }) &&
           std::adjacent_find(std::begin(ranges), std::end(ranges),
                              [](const auto& a, const auto& b) { return a.last >= b.first; }) ==
               std::end(ranges);
  };
  CHECK(in_order(xofn::detail::wide_ranges));
  CHECK(in_order(xofn::detail::zero_ranges));
}

TEST_CASE("A text is cut between characters, and not within what belongs together") {
  CHECK(cut("hashing", 0).empty());
  CHECK(cut("hashing", 4) == "hash");
  CHECK(cut("hashing", 7) == "hashing");
  CHECK(cut("hashing", 100) == "hashing");
  CHECK(cut("", 0).empty());
  CHECK(cut("数える", 3) == "数");
  CHECK(cut("数える", 4) == "数え");
  CHECK(cut("e\u0301e\u0301", 1) == "e\u0301");
  CHECK(cut("a❤\ufe0f", 2) == "a");
  CHECK(cut("a❤\ufe0f", 3) == "a❤\ufe0f");
  CHECK(cut("a👩\u200d🚀b", 4) == "a");
  CHECK(cut("a👩\u200d🚀b", 5) == "a👩\u200d🚀");
  CHECK(cut("\u0301", 0) == "\u0301");
}

TEST_CASE("A beginning that is cut off never fills more than its room") {
  for (const std::string_view text :
       {"a label", "größe 数 🦀", "👩\u200d🚀❤\ufe0f1\ufe0f\u20e3", "e\u0301\u0301\ufe0fx"}) {
    for (std::size_t room = 0; room <= cells(text); ++room) {
      CHECK(cells(cut(text, room)) <= room);
      CHECK(printable(cut(text, room)) == cut(text, room));
    }
    CHECK(cut(text, cells(text)) == text);
  }
}

TEST_CASE("What ends a line or turns its direction is not printable") {
  CHECK(printable("a\u2028b\u2029c") == "a???b???c");
  CHECK(printable("a\u202eb\u2066c") == "a???b???c");
  CHECK(printable("a\u00a0b\u00adc") == "a\u00a0b\u00adc");
}
