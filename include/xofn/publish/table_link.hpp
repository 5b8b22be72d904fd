// SPDX-License-Identifier: MIT
// Not API: how a batch is written down in a database.
#pragma once

#include <soci/soci.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/publish/iso_time.hpp>
#include <xofn/publish/link.hpp>
#include <xofn/publish/published_state.hpp>
#include <xofn/publish/status_table_options.hpp>
#include <xofn/publish/stored_text.hpp>
#include <xofn/publish/table_book.hpp>
#include <xofn/publish/table_page.hpp>
#include <xofn/publish/table_schema.hpp>
#include <xofn/publish/table_session.hpp>
#include <xofn/publish/table_statement.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Writes what the book has, a page in each transaction. Connects when there is something to
/// write, and anew after each failure.
template <class Sync = StdSync>
class TableLink {
 public:
  using Clock = typename Sync::clock;
  using TimePoint = typename Clock::time_point;
  using Page = TablePage<Sync>;

  TableLink(StatusTableOptions options, std::shared_ptr<TableBook<Sync>> book)
      : options_(std::move(options)),
        name_(stored_text(options_.name, std::numeric_limits<std::size_t>::max())),
        book_(std::move(book)) {}

  /// Writes all that there is. The state is in the book, and only says that there is news.
  void send(const PublishedState<Sync>&, TimePoint deadline) {
    // A page is not begun if it might be cut off.
    const TimePoint last_start = Clock::now() + (deadline - Clock::now()) / 2;
    std::uint64_t left = 0;
    do {
      left = write_page(deadline);
    } while (left != 0 && Clock::now() < last_start);
    if (left != 0) {
      throw std::runtime_error(where() + std::to_string(left) + " items are still to be written");
    }
  }

 private:
  using WallClock = std::chrono::system_clock;

  static constexpr std::size_t items_in_a_page = 500;
  static constexpr std::size_t items_in_a_statement = 50;
  /// A bigint has one bit less.
  static constexpr std::uint64_t most_number = std::numeric_limits<std::int64_t>::max();

  struct Connection {
    Connection(const std::string& database, std::chrono::milliseconds timeout)
        : session(database, timeout) {}

    TableSession<Sync> session;
    TableStatement batch{session.get(),
                         upsert("xofn_batches", batch_columns, "name", 1) +
                             " where xofn_batches.run between :least and :most",
                         batch_columns.size() + 2};
    TableStatement item{session.get(), upsert("xofn_items", item_columns, "batch,item", 1),
                        item_columns.size()};
    TableStatement items{session.get(),
                         upsert("xofn_items", item_columns, "batch,item", items_in_a_statement),
                         items_in_a_statement* item_columns.size()};
    TableStatement delete_items{session.get(), "delete from xofn_items where batch=:name", 1};
  };

  /// Returns how many items are left.
  std::uint64_t write_page(TimePoint deadline) {
    try {
      if (!connection_) {
        const auto time = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        connection_ = std::make_unique<Connection>(options_.database,
                                                   std::max(std::chrono::milliseconds{1}, time));
      }
      connection_->session.hang_up_at(deadline);
      const std::uint64_t left = write_page();
      connection_->session.do_not_hang_up();
      return left;
    } catch (const Refused& refused) {
      connection_.reset();
      throw Refused(where() + refused.what());
    } catch (const soci::soci_error& error) {
      connection_.reset();
      throw std::runtime_error(where() + error.get_error_message());  // without the values
    } catch (const std::exception& error) {
      connection_.reset();
      throw std::runtime_error(where() + error.what());
    }
  }

  std::uint64_t write_page() {
    connection_->session.begin();
    const std::int64_t there = run_there();
    Page page = book_->page(items_in_a_page);
    if (page.run == run_ && there < number_) {
      book_->lose_rows(page.run);
      page = book_->page(items_in_a_page);  // perhaps of another run
    }
    const bool is_known = page.run == run_;
    if (is_known && there > number_) {
      throw Refused("another batch, which came later, has the name " + name_);
    }
    const bool is_there = is_known && there == number_;
    if (!is_known) {
      wall_clock_ahead_ = WallClock::now().time_since_epoch() - Clock::now().time_since_epoch();
    }
    const std::int64_t number = is_known ? number_ : there + 1;
    // Between looking and writing another may have come. From then on it waits for this one, and
    // what it has written before is to be seen.
    write_batch(page, number, is_there ? number : 0, is_there ? number : number - 1);
    if (!is_there) connection_->delete_items.execute({name_});
    write_items(page.items);
    connection_->session.commit();
    run_ = page.run;
    number_ = number;
    book_->note(page);
    return page.left;
  }

  /// Which run of the name the tables have; 0 if none.
  std::int64_t run_there() {
    long long run = 0;
    soci::indicator indicator = soci::i_null;
    connection_->session.get() << "select max(run) from xofn_batches where name=:name",
        soci::use(name_), soci::into(run, indicator);
    return indicator == soci::i_ok ? run : 0;
  }

  void write_batch(const Page& page, std::int64_t run, std::int64_t least, std::int64_t most) {
    Progress now = page.progress;
    now.total = std::min(now.total, most_number);  // so that it is the sum of those that are
    const bool is_weighed = now.weight_total != 0;
    const auto weight = [&](std::uint64_t value) {
      return is_weighed ? TableValue{number(value)} : std::nullopt;
    };
    const long long changed = connection_->batch.execute({name_,
                                                          std::to_string(run),
                                                          to_string(now.state),
                                                          number(now.completed()),
                                                          number(now.total),
                                                          number(now.succeeded),
                                                          number(now.failed),
                                                          number(now.cancelled),
                                                          number(now.running),
                                                          number(now.queued()),
                                                          number(now.retried),
                                                          number(page.unlisted),
                                                          now.total_is_final ? "1" : "0",
                                                          weight(now.weight_completed),
                                                          weight(now.weight_total),
                                                          seconds(now.elapsed),
                                                          time(page.began),
                                                          time(Clock::now()),
                                                          time(page.ended),
                                                          std::to_string(least),
                                                          std::to_string(most)});
    if (changed != 1) throw std::runtime_error("another batch has come at the same time");
  }

  void write_items(const std::vector<typename Page::Item>& items) {
    std::vector<TableValue> values;
    std::size_t i = 0;
    for (; items.size() - i >= items_in_a_statement; values.clear()) {
      for (const std::size_t end = i + items_in_a_statement; i != end; ++i) add(values, items[i]);
      connection_->items.execute(std::move(values));
    }
    for (; i != items.size(); ++i, values.clear()) {
      add(values, items[i]);
      connection_->item.execute(std::move(values));
    }
  }

  void add(std::vector<TableValue>& values, const typename Page::Item& row) const {
    const auto& item = row.item;
    const auto text = [](const std::string& said) {
      return said.empty() ? std::nullopt : TableValue{said};
    };
    for (TableValue& value :
         std::vector<TableValue>{name_, number(row.index), text(item.name), to_string(item.state),
                                 std::to_string(item.attempts), text(item.error),
                                 time(item.started), time(item.ended)}) {
      values.push_back(std::move(value));
    }
  }

  static std::string number(std::uint64_t value) {
    return std::to_string(std::min(value, most_number));
  }

  /// With a point wherever the program is.
  static std::string seconds(std::chrono::nanoseconds time) {
    const std::string parts = std::to_string(time.count() % 1'000'000'000 + 1'000'000'000);
    return std::to_string(time.count() / 1'000'000'000) + '.' + parts.substr(1);
  }

  /// As ISO 8601 has it, in UTC: "2026-11-28T10:38:02.123456Z".
  [[nodiscard]] TableValue time(std::optional<TimePoint> moment) const {
    if (!moment) return std::nullopt;
    return iso_time(WallClock::time_point{std::chrono::duration_cast<WallClock::duration>(
        moment->time_since_epoch() + wall_clock_ahead_)});
  }

  [[nodiscard]] std::string where() const { return "the table of " + name_ + ": "; }

  StatusTableOptions options_;
  std::string name_;
  std::shared_ptr<TableBook<Sync>> book_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t run_ = 0;    ///< of the book's, that the tables have
  std::int64_t number_ = 0;  ///< and as what
  std::chrono::nanoseconds wall_clock_ahead_{0};
};

static_assert(Link<TableLink<>, StdSync>);

}  // namespace xofn::detail
