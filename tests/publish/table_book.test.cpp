// SPDX-License-Identifier: MIT
// What is behind a status table, without a database.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>
#include <xofn/publish/hang_up.hpp>
#include <xofn/publish/iso_time.hpp>
#include <xofn/publish/stored_text.hpp>
#include <xofn/publish/table_book.hpp>

#include "../support/gate.hpp"
#include "../support/progress.hpp"
#include "../support/table_rows.hpp"

using namespace std::chrono_literals;
using support::eventually;
using support::Seen;
using support::snapshot;
using support::wrong_in;

TEST_CASE("Table: a backlog goes out in pages, after each of which rows agree") {
  using xofn::detail::ItemState;
  xofn::detail::TableBook<> book;
  std::map<std::uint64_t, ItemState> rows;  // as a database would have them
  std::vector<Seen> all;
  const auto write_page = [&](bool is_noted) {
    const auto page = book.page(7);
    for (const auto& [index, version, item] : page.items) rows[index] = item.state;
    const auto count = [&](ItemState state) {
      return std::count_if(rows.begin(), rows.end(),
                           [&](auto& row) { return row.second == state; });
    };
    const auto signed_ = [](std::uint64_t n) { return static_cast<long long>(n); };
    const xofn::Progress& p = page.progress;
    all.push_back({.run = signed_(page.run),
                   .state = to_string(p.state),
                   .completed = signed_(p.completed()),
                   .total = signed_(p.total),
                   .succeeded = signed_(p.succeeded),
                   .failed = signed_(p.failed),
                   .cancelled = signed_(p.cancelled),
                   .running = signed_(p.running),
                   .queued = signed_(p.queued()),
                   .unlisted = signed_(page.unlisted),
                   .items_succeeded = count(ItemState::succeeded),
                   .items_failed = count(ItemState::failed),
                   .items_cancelled = count(ItemState::cancelled),
                   .items_running = count(ItemState::running)});
    if (is_noted) book.note(page);
    return page.left;
  };
  const bool loses_rows = GENERATE(false, true);
  constexpr std::uint64_t items = 500;
  constexpr std::uint64_t at_once = 20;
  xofn::Progress told = snapshot(0, items / 2);  // as much as is known for a while
  book.tell_rest(told);
  for (std::uint64_t i = 0; i != items; ++i) {
    book.begin_item(i, 1, "clip");
    if (i % 3 == 0) book.begin_item(i, 2, "clip");
    if (i >= at_once) {
      const bool has_failed = i % 4 == 0;
      ++(has_failed ? told.failed : told.succeeded);
      (void)book.settle_item(
          i - at_once, has_failed ? std::optional<std::string>("no") : std::nullopt, 1, 1ms, told);
    }
    if (i % 50 == 0) book.tell_rest(snapshot(told.completed(), items / 2));
    if (i % 5 == 0) (void)write_page(i % 3 != 0);  // and who knows whether some have arrived
    if (loses_rows && i == 400) {
      while (write_page(true) != 0) {
      }
      CHECK(wrong_in(all).empty());
      CHECK(all.back().completed == 381);
      rows.clear();
      all.clear();
      book.lose_rows(1);
      book.lose_rows(1);
      while (write_page(true) != 0) {
      }
      CHECK(all.back().completed == 381);
      CHECK(all.back().unlisted == 381);
      CHECK(all.back().items_running == at_once);
    }
  }
  told.total = items;
  told.cancelled = at_once;
  told.state = xofn::BatchState::cancelled;
  book.end_items(told);
  book.tell_rest(snapshot(told.completed(), items));  // which was on its way
  int pages = 1;
  while (write_page(true) != 0) {
    ++pages;
    CHECK(all.back().state == "running");
  }
  CHECK(pages > 3);
  CHECK(wrong_in(all).empty());
  CHECK(all.back().state == "cancelled");
  CHECK(all.back().completed == items - at_once);
  CHECK(all.back().items_cancelled == at_once);
  CHECK(book.page(7).items.empty());

  book.tell_rest(told);  // the other final state: this run is over
  book.begin_item(0, 1, "another");
  CHECK(book.page(7).run == 2);
}

TEST_CASE("Table: what was announced before its items were told is asked to be written") {
  xofn::detail::TableBook<> book;
  for (std::uint64_t i = 0; i != 3; ++i) book.begin_item(i, 1, "clip");
  book.tell_rest(snapshot(2, 3));
  CHECK_FALSE(book.settle_item(0, std::nullopt, 1, 1ms, snapshot(1, 3)));
  CHECK(book.page(7).progress.completed() == 1);
  CHECK(book.settle_item(1, std::nullopt, 1, 1ms, snapshot(2, 3)));
  CHECK_FALSE(book.settle_item(2, std::nullopt, 1, 1ms, snapshot(3, 3)));  // to be announced yet
}

TEST_CASE("Table: a socket is hung up at the deadline, unless that is put off") {
  std::array<int, 2> sockets{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) == 0);
  char byte = 'x';
  { const xofn::detail::HangUp<> later(sockets[0], std::chrono::steady_clock::now() + 1h); }
  CHECK(write(sockets[1], &byte, 1) == 1);
  CHECK(read(sockets[0], &byte, 1) == 1);
  const xofn::detail::HangUp<> now(sockets[0], std::chrono::steady_clock::now());
  CHECK(eventually([&] { return recv(sockets[0], &byte, 1, MSG_DONTWAIT) == 0; }));
  close(sockets[0]);
  close(sockets[1]);
}

TEST_CASE("Table: text is cut at whole characters") {
  using xofn::detail::stored_text;
  CHECK(stored_text("", 0).empty());
  CHECK(stored_text("abc", 3) == "abc");
  CHECK(stored_text("abcd", 3) == "abc...");
  CHECK(stored_text("a\xe2\x82\xac", 3) == "a...");
  CHECK(stored_text("a\xe2\x82\xac", 4) == "a\xe2\x82\xac");
  CHECK(stored_text(std::string("\0", 1), 3) == "\xef\xbf\xbd");
  CHECK(stored_text("\xc0\x80", 6) == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(stored_text("\xff", 2) == "...");
}

TEST_CASE("Table: times are written as ISO 8601 has them") {
  using xofn::detail::iso_time;
  const std::chrono::system_clock::time_point epoch{};
  CHECK(iso_time(epoch) == "1970-01-01T00:00:00.000000Z");
  CHECK(iso_time(epoch - 1us) == "1969-12-31T23:59:59.999999Z");
  CHECK(iso_time(epoch + 951'827'696s + 7ms) == "2000-02-29T12:34:56.007000Z");
}
