// SPDX-License-Identifier: MIT
// What others see of a batch with plain SQL: in a file of SQLite, and in a PostgreSQL of our own,
// which are locked, full, killed and replaced.
#include <soci/soci.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>
#include <xofn/publish/status_table.hpp>

#include "../support/gate.hpp"
#include "../support/postgres.hpp"
#include "../support/progress.hpp"
#include "../support/ranges.hpp"
#include "../support/steps.hpp"
#include "../support/table_rows.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using support::eventually;
using support::numbers;
using support::patience;
using support::PostgresServer;
using support::Seen;
using support::snapshot;
using support::Steps;
using support::TemporaryFolder;
using support::whole;
using support::wrong_in;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::StatusTable;
using xofn::StatusTableOptions;

namespace {

/// Somebody else at the database, with plain SQL.
class Client {
 public:
  explicit Client(const std::string& database) : session_(database) {}

  void execute(const std::string& sql) { session_ << sql; }

  /// The first value of the answer, as text.
  std::string ask(const std::string& sql) {
    std::string text;
    soci::indicator indicator = soci::i_null;
    session_ << sql, soci::into(text, indicator);
    if (!session_.got_data()) return "nothing";
    return indicator == soci::i_null ? "null" : text;
  }

  /// None if there is no such batch.
  std::optional<Seen> see(const std::string& name = "clips") {
    const auto count = [](const std::string& state) {
      return "(select count(*) from xofn_items i where i.batch = b.name and i.state = '" + state +
             "')";
    };
    Seen s;
    session_ << "select run, state, completed, total, succeeded, failed, cancelled, running, "
                "queued, unlisted, " +
                    count("succeeded") + ',' + count("failed") + ',' + count("cancelled") + ',' +
                    count("running") + " from xofn_batches b where b.name = :name",
        soci::use(name), soci::into(s.run), soci::into(s.state), soci::into(s.completed),
        soci::into(s.total), soci::into(s.succeeded), soci::into(s.failed), soci::into(s.cancelled),
        soci::into(s.running), soci::into(s.queued), soci::into(s.unlisted),
        soci::into(s.items_succeeded), soci::into(s.items_failed), soci::into(s.items_cancelled),
        soci::into(s.items_running);
    if (!session_.got_data()) return std::nullopt;
    return s;
  }

 private:
  soci::session session_;
};

/// A file in a folder of its own.
class Sqlite {
 public:
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "clips.db"; }
  [[nodiscard]] std::string database() const { return "sqlite3://" + file().string(); }

  void lock(Client& client) const { client.execute("begin exclusive"); }
  static constexpr const char* locked = "database is locked";

  /// No file may become larger. A number, or "unlimited".
  void allow_files_of(const std::string& bytes) const {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes == "unlimited" ? RLIM_INFINITY : std::stoul(bytes), RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("no limit can be set");
  }

 private:
  TemporaryFolder folder_;
};

/// A server, which is up unless it has been killed.
class Postgres {
 public:
  Postgres() { start(); }

  [[nodiscard]] std::string database() const { return server_->database(); }

  void start() {
    server_->start([this] {
      try {
        return Client(database()).ask("select 1") == "1";
      } catch (const soci::soci_error&) {
        return false;
      }
    });
  }
  void kill() { server_->kill(); }

  void lock(Client& client) const {
    client.execute("begin");
    client.execute("lock table xofn_batches in access exclusive mode");
  }
  static constexpr const char* locked = "statement timeout";

  void allow_files_of(const std::string& bytes) const { server_->allow_files_of(bytes); }

 private:
  /// Nothing is left out in CI.
  static std::unique_ptr<PostgresServer> server() {
    if (PostgresServer::programs().empty()) {
      if (std::getenv("CI") != nullptr) FAIL("postgres was not found: nothing is left out in CI");
      SKIP("postgres was not found");
    }
    return std::make_unique<PostgresServer>();
  }

  std::unique_ptr<PostgresServer> server_ = server();
};

/// Tries again soon, and gives up only where a test says so.
StatusTableOptions clips_in(const std::string& database) {
  return {.database = database, .name = "clips", .timeout = 1h, .backoff = 1ms, .linger = 0ms};
}

/// None also if there is no database, or none that can be read.
std::optional<Seen> see(const std::string& database) {
  try {
    return Client(database).see();
  } catch (const soci::soci_error&) {
    return std::nullopt;
  }
}

/// Whether the row comes to say so.
bool sees_completed(const std::string& database, long long completed) {
  return eventually([&] {
    const auto seen = see(database);
    return seen && seen->completed == completed;
  });
}

std::string text_of(int n) { return "clip " + std::to_string(n); }

}  // namespace

TEMPLATE_TEST_CASE("Table: rows that are read with plain SQL agree, and never go back", "", Sqlite,
                   Postgres) {
  const TestType db;
  const StatusTable table(clips_in(db.database()));
  Steps steps;
  BatchProcessor<int> processor({.max_workers = 4});
  watch(processor, table, text_of, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(4000), [&](int n) {
    steps(n);
    if (n % 10 == 0) throw std::runtime_error("no such codec");
  });
  std::vector<Seen> all;
  std::optional<Client> client;
  for (int allowed = 400; allowed <= 4000; allowed += 400) {
    steps.allow(allowed);
    const bool is_seen = eventually([&] {
      try {
        if (!client) client.emplace(db.database());
        if (const auto seen = client->see()) all.push_back(*seen);
      } catch (const soci::soci_error&) {
        client.reset();  // there are no tables yet
      }
      return !all.empty() && all.back().completed == allowed;
    });
    INFO(allowed << ", after " << table.failed_attempts() << " attempts: " << table.error());
    REQUIRE(is_seen);
  }
  batch.wait();
  CHECK(table.flush(patience()));
  CHECK(table.error().empty());
  all.push_back(client->see().value());
  CHECK(wrong_in(all).empty());
  const Seen& last = all.back();
  CHECK(last.state == "finished");
  CHECK(last.completed == 4000);
  CHECK(last.total == 4000);
  CHECK(last.failed == 400);
  CHECK(last.items_succeeded == 3600);
  CHECK(last.items_failed == 400);
  CHECK(last.unlisted == 0);
  CHECK(client->ask("select name from xofn_items where item = 3990") == "clip 3990");
  CHECK(client->ask("select error from xofn_items where item = 3990") == "no such codec");
  CHECK(client->ask("select error from xofn_items where item = 3991") == "null");
  CHECK(client->ask("select count(*) from xofn_items where attempts = 1 and "
                    "started_at <= ended_at") == "4000");
}

TEMPLATE_TEST_CASE("Table: the row of a batch whose items are not listed", "", Sqlite, Postgres) {
  const TestType db;
  const StatusTable table(clips_in(db.database()));
  xofn::Progress state = snapshot(3, 10, xofn::BatchState::paused, 1'050'000'000ns);
  state.failed = 2;
  state.running = 1;
  state.retried = 7;
  state.total_is_final = false;
  table(state);
  REQUIRE(table.flush(patience()));
  Client client(db.database());
  const Seen seen = client.see().value();
  CHECK(wrong_in({seen}).empty());
  CHECK(seen.run == 1);
  CHECK(seen.state == "paused");
  CHECK(seen.completed == 5);
  CHECK(seen.succeeded == 3);
  CHECK(seen.failed == 2);
  CHECK(seen.running == 1);
  CHECK(seen.queued == 4);
  CHECK(seen.unlisted == 5);
  CHECK(client.ask("select retried from xofn_batches") == "7");
  CHECK(client.ask("select count(*) from xofn_batches where not total_is_final") == "1");
  CHECK(client.ask("select weight_total from xofn_batches") == "null");
  CHECK(client.ask("select weight_completed from xofn_batches") == "null");
  CHECK(client.ask("select ended_at from xofn_batches") == "null");
  CHECK(client.ask("select count(*) from xofn_batches where elapsed_seconds = 1.05") == "1");
  CHECK(client.ask("select count(*) from xofn_items") == "0");

  state = whole(10);
  state.weight_completed = state.weight_total = std::uint64_t{1} << 63;  // more than there is room
  table(state);
  REQUIRE(table.flush(patience()));
  CHECK(client.see().value().run == 1);
  CHECK(client.ask("select weight_total from xofn_batches") == "9223372036854775807");
  CHECK(client.ask("select count(*) from xofn_batches where total_is_final and "
                   "started_at <= ended_at and ended_at <= updated_at") == "1");
}

TEST_CASE("Table: times are what they are called, in both databases") {
  const Sqlite file;
  const Postgres server;
  for (const std::string& database : {file.database(), server.database()}) {
    const StatusTable table(clips_in(database));
    table(whole(1));
    REQUIRE(table.flush(patience()));
    Client client(database);
    const bool is_file = database == file.database();
    CHECK(
        client.ask(
            is_file
                ? "select abs(julianday('now') - julianday(started_at)) < 1 from xofn_batches"
                : "select abs(extract(epoch from now() - started_at)) < 86400 from xofn_batches") ==
        (is_file ? "1" : "t"));
  }
}

TEMPLATE_TEST_CASE("Table: the batch does not wait for a database that is locked", "", Sqlite,
                   Postgres) {
  const TestType db;
  StatusTableOptions options = clips_in(db.database());
  options.timeout = 400ms;  // of which the server has 300
  const StatusTable table(options);
  table(whole(1));
  REQUIRE(eventually([&] { return table.flush(0s); }));
  Client client(db.database());
  db.lock(client);
  BatchProcessor<int> processor({.max_workers = 2});
  const auto delivery = GENERATE(Delivery::every(), Delivery::latest());
  watch(processor, table, text_of, delivery);
  CHECK(processor.run(numbers(1000), [](int) {}).all_succeeded());
  CHECK_FALSE(table.flush(0s));
  const auto failed = table.failed_attempts();
  REQUIRE(eventually([&] { return table.failed_attempts() >= failed + 2; }));
  CHECK(eventually([&] { return table.error().find(db.locked) != std::string::npos; }));
  CHECK_THAT(table.error(), ContainsSubstring("the table of clips: "));
  client.execute("rollback");
  REQUIRE(eventually([&] { return table.flush(patience()); }));
  CHECK(table.error().empty());
  const Seen seen = client.see().value();
  CHECK(wrong_in({seen}).empty());
  CHECK(seen.completed == 1000);
  CHECK(seen.items_succeeded == 1000);
  CHECK(seen.run == 2);
}

TEST_CASE("Table: a file that somebody else reads is written when they have read it") {
  const Sqlite db;
  Client reader(db.database());  // who keeps it from becoming one with a log beside it
  reader.execute("create table theirs (n integer)");
  reader.execute("insert into theirs values (1)");
  reader.execute("begin");
  REQUIRE(reader.ask("select n from theirs") == "1");
  StatusTableOptions options = clips_in(db.database());
  options.timeout = 100ms;
  const StatusTable table(options);
  table(whole(1));
  REQUIRE(eventually([&] { return table.failed_attempts() >= 1; }));
  CHECK_THAT(table.error(), ContainsSubstring(db.locked));
  reader.execute("commit");
  REQUIRE(eventually([&] { return table.flush(patience()); }));
  CHECK(reader.see().value().completed == 1);
}

TEST_CASE("Table: what is not written when the time is half over is left to the next attempt") {
  const Sqlite db;
  const auto book = std::make_shared<xofn::detail::TableBook<>>();
  constexpr std::uint64_t items = 600;  // more than a page
  for (std::uint64_t i = 0; i != items; ++i) book->begin_item(i, 1, "clip");
  xofn::detail::TableLink<> link(clips_in(db.database()), book);
  using Clock = xofn::StdSync::clock;
  CHECK_THROWS_WITH(link.send({}, Clock::now()),
                    ContainsSubstring("the table of clips: 100 items are still to be written"));
  Client client(db.database());
  CHECK(client.ask("select count(*) from xofn_items") == "500");
  CHECK(wrong_in({client.see().value()}).empty());
  link.send({}, Clock::now() + patience());
  CHECK(client.ask("select count(*) from xofn_items") == "600");
  CHECK(wrong_in({client.see().value()}).empty());
}

TEMPLATE_TEST_CASE("Table: what finds no room is written when there is some", "", Sqlite,
                   Postgres) {
  const TestType db;
  db.allow_files_of("1048576");  // as large as a segment of PostgreSQL's log, which is made whole
  const StatusTable table(clips_in(db.database()));
  BatchProcessor<int> processor({.max_workers = 2});
  watch(processor, table, [](int n) { return std::string(900, 'x') + std::to_string(n); });
  CHECK(processor.run(numbers(4000), [](int) {}).all_succeeded());
  REQUIRE(eventually([&] { return table.failed_attempts() >= 3; }));
  CHECK_FALSE(table.flush(0s));
  CHECK_FALSE(table.error().empty());
  if (const auto seen = see(db.database())) {
    CHECK(wrong_in({*seen}).empty());
    CHECK(seen->completed < 4000);
    CHECK(seen->state == "running");
  }
  db.allow_files_of("unlimited");
  REQUIRE(eventually([&] { return table.flush(0s); }));
  CHECK(table.error().empty());
  const Seen seen = see(db.database()).value();
  CHECK(wrong_in({seen}).empty());
  CHECK(seen.state == "finished");
  CHECK(seen.items_succeeded == 4000);
}

TEST_CASE("Table: a server that is killed in the middle and comes back has every row") {
  Postgres server;
  const StatusTable table(clips_in(server.database()));
  Steps steps;
  BatchProcessor<int> processor({.max_workers = 1});
  watch(processor, table, text_of, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(10), std::ref(steps));
  steps.allow(3);
  REQUIRE(sees_completed(server.database(), 3));
  std::vector<Seen> all{see(server.database()).value()};
  server.kill();
  const bool ends_without_it = GENERATE(false, true);
  steps.allow(ends_without_it ? 10 : 6);
  REQUIRE(eventually([&] { return batch.progress().completed() >= 6; }));
  REQUIRE(eventually([&] { return table.failed_attempts() >= 2; }));
  CHECK_FALSE(table.error().empty());
  if (ends_without_it) batch.wait();
  server.start();
  all.push_back(see(server.database()).value());
  if (!ends_without_it) {
    REQUIRE(sees_completed(server.database(), 6));
    all.push_back(see(server.database()).value());
    steps.allow(10);
  }
  batch.wait();
  CHECK(table.flush(patience()));
  CHECK(table.error().empty());
  all.push_back(see(server.database()).value());
  CHECK(wrong_in(all).empty());
  CHECK(all.back().state == "finished");
  CHECK(all.back().items_succeeded == 10);
  CHECK(all.back().run == 1);  // the same to those who have seen it before
}

TEST_CASE("Table: an attempt that a server does not answer in time has failed") {
  const Postgres server;
  StatusTableOptions options = clips_in(server.database());
  options.timeout = 300ms;
  auto table = std::make_unique<StatusTable>(options);
  (*table)(snapshot(1, 10));
  REQUIRE(eventually([&] { return table->flush(0s); }));
  Client client(server.database());
  const pid_t backend =
      std::stoi(client.ask("select pid from pg_stat_activity where application_name = 'xofn' "
                           "order by backend_start desc limit 1"));
  ::kill(backend, SIGSTOP);
  const auto failed = table->failed_attempts();
  (*table)(whole(10));
  CHECK(eventually([&] { return table->failed_attempts() > failed; }));
  CHECK(eventually([&] { return table->flush(0s); }));  // on another connection
  CHECK(client.see().value().state == "finished");
  table.reset();
  ::kill(backend, SIGCONT);
}

TEST_CASE("Table: a file that is gone or replaced is made anew, and what was lost is counted") {
  const Sqlite db;
  const StatusTable table(clips_in(db.database()));
  Steps steps;
  BatchProcessor<int> processor({.max_workers = 1});
  watch(processor, table, text_of, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(10), std::ref(steps));
  steps.allow(3);
  REQUIRE(sees_completed(db.database(), 3));
  const int way = GENERATE(0, 1, 2);
  if (way == 0) {
    std::filesystem::resize_file(db.file(), 0);
  } else {
    REQUIRE(std::filesystem::remove(db.file()));
  }
  if (way == 2) {
    std::filesystem::remove(db.file().string() + "-wal");
    std::filesystem::remove(db.file().string() + "-shm");
  }
  steps.allow(6);
  REQUIRE(sees_completed(db.database(), 6));
  const Seen middle = see(db.database()).value();
  CHECK(wrong_in({middle}).empty());
  CHECK(middle.items_succeeded + middle.unlisted == 6);
  if (way != 0) CHECK(middle.unlisted == 3);  // of one that was emptied, the log may have it all
  CHECK(middle.items_running == 1);           // it was running when the file went
  steps.allow(10);
  batch.wait();
  CHECK(table.flush(patience()));
  const Seen last = see(db.database()).value();
  CHECK(wrong_in({middle, last}).empty());
  CHECK(last.state == "finished");
  CHECK(last.completed == 10);
  CHECK(last.unlisted == middle.unlisted);
}

TEMPLATE_TEST_CASE("Table: rows that somebody deletes are counted from then on", "", Sqlite,
                   Postgres) {
  const TestType db;
  const StatusTable table(clips_in(db.database()));
  Steps steps;
  BatchProcessor<int> processor({.max_workers = 1});
  watch(processor, table, text_of, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(10), std::ref(steps));
  steps.allow(3);
  REQUIRE(sees_completed(db.database(), 3));
  Client client(db.database());
  client.execute("delete from xofn_batches");
  steps.allow(10);
  batch.wait();
  CHECK(table.flush(patience()));
  const Seen last = client.see().value();
  CHECK(wrong_in({last}).empty());
  CHECK(last.completed == 10);
  CHECK(last.unlisted == 3);
  CHECK(last.items_succeeded == 7);
}

TEST_CASE("Table: a database that is not there at the start gets the last state when it is") {
  SECTION("a server") {
    Postgres server;
    server.kill();
    const StatusTable table(clips_in(server.database()));
    BatchProcessor<int> processor({.max_workers = 2});
    watch(processor, table, text_of);
    CHECK(processor.run(numbers(100), [](int) {}).all_succeeded());
    CHECK_FALSE(table.flush(0s));
    REQUIRE(eventually([&] { return table.failed_attempts() >= 3; }));
    CHECK_THAT(table.error(), ContainsSubstring("clips"));
    server.start();
    CHECK(table.flush(patience()));
    CHECK(see(server.database()).value().items_succeeded == 100);
  }
  SECTION("a file, in a folder that is not there") {
    const TemporaryFolder folder;
    const std::string database = "sqlite3://" + (folder.path() / "later" / "clips.db").string();
    const StatusTable table(clips_in(database));
    BatchProcessor<int> processor({.max_workers = 2});
    watch(processor, table, text_of);
    CHECK(processor.run(numbers(100), [](int) {}).all_succeeded());
    REQUIRE(eventually([&] { return table.failed_attempts() >= 3; }));
    CHECK_THAT(table.error(), ContainsSubstring("unable to open"));
    std::filesystem::create_directory(folder.path() / "later");
    CHECK(table.flush(patience()));
    CHECK(see(database).value().items_succeeded == 100);
  }
}

TEMPLATE_TEST_CASE("Table: tables of another version are left alone, which is said", "", Sqlite,
                   Postgres) {
  const TestType db;
  Client client(db.database());
  client.execute("create table xofn_schema (version integer not null)");
  const std::string version = GENERATE("2", "0");
  client.execute("insert into xofn_schema values (" + version + ")");
  const StatusTable table(clips_in(db.database()));
  table(whole(1));
  CHECK_FALSE(table.flush(patience()));
  CHECK_THAT(table.error(),
             ContainsSubstring("have version " + version) && ContainsSubstring("knows 1 only"));
  CHECK_THROWS_AS(client.ask("select count(*) from xofn_batches"), soci::soci_error);

  client.execute("drop table xofn_schema");
  table(whole(2));
  CHECK(table.flush(patience()));
  CHECK(table.error().empty());
  CHECK(client.ask("select version from xofn_schema") == "1");
}

TEMPLATE_TEST_CASE("Table: runs of a name follow each other, each in the place of the one before",
                   "", Sqlite, Postgres) {
  const TestType db;
  std::vector<Seen> all;
  for (int run = 1; run <= 3; ++run) {
    const StatusTable table(clips_in(db.database()));  // of another program, say
    BatchProcessor<int> processor({.max_workers = 2});
    watch(processor, table, text_of, Delivery::latest(1ms));
    for (const int items : {600 / run, 40}) {
      Batch<void> batch = processor.start(numbers(items), [](int) {});
      REQUIRE(eventually([&] {
        if (const auto seen = see(db.database())) all.push_back(*seen);
        return batch.progress().state == xofn::BatchState::finished;
      }));
      batch.wait();
      REQUIRE(table.flush(patience()));
      all.push_back(see(db.database()).value());
      CHECK(all.back().items_succeeded == items);
    }
  }
  CHECK(wrong_in(all).empty());
  CHECK(all.back().run == 6);
}

TEMPLATE_TEST_CASE("Table: of two batches with one name at once the one that came later is shown",
                   "", Sqlite, Postgres) {
  const TestType db;
  const StatusTable earlier(clips_in(db.database()));
  const StatusTable later(clips_in(db.database()));
  earlier(snapshot(1, 10));
  REQUIRE(earlier.flush(patience()));
  later(snapshot(2, 20));
  REQUIRE(later.flush(patience()));
  earlier(whole(10));
  CHECK_FALSE(earlier.flush(patience()));
  CHECK_THAT(earlier.error(), ContainsSubstring("another batch, which came later"));
  Client client(db.database());
  CHECK(client.see().value().total == 20);
  later(whole(20));
  CHECK(later.flush(patience()));
  CHECK(client.see().value().state == "finished");

  earlier(whole(11));  // a new batch
  CHECK(earlier.flush(patience()));
  CHECK(earlier.error().empty());
  CHECK(client.see().value().total == 11);
  CHECK(client.see().value().run == 3);
}

TEMPLATE_TEST_CASE(
    "Table: batches come at the same time, and make the tables, with other names "
    "and with one",
    "", Sqlite, Postgres) {
  const TestType db;
  const bool has_one_name = GENERATE(false, true);
  constexpr int batches = 4;
  std::array<bool, batches> have_arrived{};
  support::in_parallel(batches, [&](int number) {
    StatusTableOptions options = clips_in(db.database());
    if (!has_one_name) options.name += std::to_string(number);
    const StatusTable table(options);
    BatchProcessor<int> processor({.max_workers = 2});
    watch(processor, table, text_of, Delivery::latest(1ms));
    processor.run(numbers(100 + number), [](int) {});
    have_arrived[static_cast<std::size_t>(number)] = table.flush(patience());
  });
  Client client(db.database());
  for (int number = 0; number != batches; ++number) {
    if (has_one_name) continue;
    CHECK(have_arrived[static_cast<std::size_t>(number)]);
    const Seen seen = client.see("clips" + std::to_string(number)).value();
    CHECK(wrong_in({seen}).empty());
    CHECK(seen.items_succeeded == 100 + number);
  }
  if (!has_one_name) return;
  const Seen seen = client.see().value();
  CHECK(wrong_in({seen}).empty());
  CHECK(seen.run <= batches);
  CHECK(client.ask("select count(*) from xofn_batches") == "1");
}

TEST_CASE("Table: items that were on their way as another batch came are gone with theirs") {
  const Postgres server;
  const StatusTable earlier(clips_in(server.database()));
  earlier(snapshot(1, 2));
  REQUIRE(earlier.flush(patience()));
  Client page(server.database());  // of the earlier batch
  page.execute("begin");
  page.execute("update xofn_batches set updated_at = updated_at");
  page.execute(
      "insert into xofn_items (batch, item, state, attempts) "
      "values ('clips', 7, 'running', 1)");
  const StatusTable later(clips_in(server.database()));
  BatchProcessor<int> processor({.max_workers = 1});
  watch(processor, later, text_of);
  processor.run(numbers(3), [](int) {});
  Client client(server.database());
  const bool waits = eventually(
      [&] { return client.ask("select count(*) from pg_locks where not granted") != "0"; });
  page.execute("commit");
  CHECK(waits);
  CHECK(later.flush(patience()));
  CHECK(client.see().value().run == 2);
  CHECK(client.ask("select count(*) from xofn_items") == "3");
}

TEMPLATE_TEST_CASE("Table: names and errors may be anything", "", Sqlite, Postgres) {
  const TestType db;
  StatusTableOptions options = clips_in(db.database());
  options.name = "clips'); drop table xofn_batches; -- :name \xff";
  const StatusTable table(options);
  const std::vector<std::string> tasks{"it's \"50%\" :of {this}\n", std::string("a\0b", 3),
                                       "\xe2\x82", "", "throws"};
  BatchProcessor<std::string> processor({.max_workers = 1});
  watch(processor, table, [](const std::string& text) {
    if (text == "throws") throw std::runtime_error("no name");
    return text;
  });
  const auto report = processor.run(tasks, [](const std::string& text) {
    std::string error = text;
    for (int i = 0; i < 600; ++i) error += "\xc3\xa9";
    throw std::runtime_error(error);
  });
  CHECK(report.callback_error().count == 1);
  REQUIRE(table.flush(patience()));
  Client client(db.database());
  const std::string bad = "\xef\xbf\xbd";
  const std::string shown = "clips'); drop table xofn_batches; -- :name " + bad;
  CHECK(client.ask("select name from xofn_batches") == shown);
  CHECK(client.see(shown).value().items_failed == 5);
  const auto item = [&](int number, const std::string& column) {
    return client.ask("select " + column +
                      " from xofn_items where item = " + std::to_string(number));
  };
  CHECK(item(0, "name") == tasks[0]);
  CHECK(item(1, "name") == "a" + bad + "b");
  CHECK(item(2, "name") == bad + bad);
  CHECK(item(3, "name") == "null");
  CHECK(item(4, "name") == "null");
  CHECK(item(4, "started_at") != "null");
  std::string cut;
  for (int i = 0; i < 500; ++i) cut += "\xc3\xa9";
  CHECK(item(3, "error") == cut + "...");
}

TEST_CASE("Table: attempts, pauses, cancellation, and items that never begin") {
  const Sqlite db;
  const StatusTable table(clips_in(db.database()));
  const auto last = [&] {
    REQUIRE(table.flush(patience()));
    const Seen seen = see(db.database()).value();
    CHECK(wrong_in({seen}).empty());
    return seen;
  };
  SECTION("an item that is tried again") {
    BatchProcessor<int> processor({.max_workers = 2, .retry = {.max_attempts = 3}});
    watch(processor, table, text_of);
    processor.run(numbers(10), [](int n, xofn::TaskContext& context) {
      if (n == 4 && context.attempt() < 3) throw std::runtime_error("busy");
    });
    CHECK(last().items_succeeded == 10);
    Client client(db.database());
    CHECK(client.ask("select attempts from xofn_items where item = 4") == "3");
    CHECK(client.ask("select error from xofn_items where item = 4") == "null");
    CHECK(client.ask("select retried from xofn_batches") == "2");
  }
  SECTION("one that waits to be tried again when the batch is cancelled") {
    BatchProcessor<int> processor({.max_workers = 1, .retry = {.max_attempts = 2, .backoff = 1h}});
    watch(processor, table, text_of);
    Batch<void> batch = processor.start(numbers(3), [](int) { throw std::runtime_error("busy"); });
    REQUIRE(eventually([&] { return batch.progress().retried == 3; }));
    batch.cancel();
    batch.wait();
    const Seen seen = last();
    CHECK(seen.state == "cancelled");
    CHECK(seen.cancelled == 3);
    CHECK(seen.items_cancelled == 3);
    CHECK(Client(db.database()).ask("select count(ended_at) from xofn_items") == "3");
  }
  SECTION("one that cancels itself") {
    BatchProcessor<int> processor({.max_workers = 1});
    watch(processor, table, text_of);
    processor.run(numbers(2), [](int n) {
      if (n == 0) throw xofn::TaskCancelled{};
    });
    const Seen seen = last();
    CHECK(seen.state == "cancelled");
    CHECK(seen.items_cancelled == 1);
    CHECK(seen.items_succeeded == 1);
  }
  SECTION("a pause, and a cancellation") {
    Steps steps;
    BatchProcessor<int> processor({.max_workers = 1});
    watch(processor, table, text_of, Delivery::latest(1ms));
    Batch<void> batch = processor.start(numbers(10), std::ref(steps));
    steps.allow(3);
    REQUIRE(sees_completed(db.database(), 3));
    batch.pause();
    REQUIRE(eventually([&] {
      const auto seen = see(db.database());
      return seen && seen->state == "paused";
    }));
    batch.cancel();
    steps.allow(10);
    batch.wait();
    const Seen seen = last();
    CHECK(seen.state == "cancelled");
    CHECK(seen.completed + seen.cancelled == 10);
    CHECK(seen.items_succeeded == seen.completed);
    CHECK(seen.items_cancelled == 0);  // none of them had begun
  }
  SECTION("items that cannot be made from the range") {
    BatchProcessor<int> processor({.max_workers = 1});
    watch(processor, table, text_of);
    const support::Indexed range(10, [](int n) {
      if (n == 5) throw std::runtime_error("no such file");
      return n;
    });
    processor.run(range, [](int) {});
    const Seen seen = last();
    CHECK(seen.failed == 1);
    CHECK(seen.items_succeeded == 9);
    CHECK(seen.unlisted == 1);
  }
  SECTION("an item that fails before it begins") {
    xofn::MemoryBudget memory(10);
    BatchProcessor<int> processor({.max_workers = 1, .memory = &memory});
    processor.memory_by([](int n) { return n; });
    watch(processor, table, text_of);
    processor.run(std::vector{1, 11}, [](int) {});
    CHECK(last().items_failed == 1);
    Client client(db.database());
    CHECK(client.ask("select started_at from xofn_items where item = 1") == "null");
    CHECK(client.ask("select name from xofn_items where item = 1") == "null");
    CHECK(client.ask("select count(*) from xofn_items where item = 1 and error <> '' and "
                     "ended_at <> ''") == "1");
  }
  SECTION("the order of submission, and a batch that grows") {
    BatchProcessor<int> processor({.max_workers = 3, .order = xofn::Order::submission});
    watch(processor, table, text_of, Delivery::latest(1ms));
    xofn::OpenBatch<int, void> batch = processor.open([](int) {});
    std::vector<Seen> all;
    for (int n = 0; n < 300; ++n) {
      batch.add(n);
      if (n % 20 == 0) {
        if (const auto seen = see(db.database())) all.push_back(*seen);
      }
    }
    batch.close();
    batch.wait();
    all.push_back(last());
    CHECK(wrong_in(all).empty());
    CHECK(all.back().items_succeeded == 300);
  }
  SECTION("no item at all") {
    BatchProcessor<int> processor({.max_workers = 1});
    watch(processor, table, text_of);
    processor.run(std::vector<int>{}, [](int) {});
    CHECK(last().state == "finished");
    processor.run(numbers(2), [](int) {});
    CHECK(last().run == 2);
  }
  SECTION("a tracker") {
    xofn::ProgressTracker tracker{2};
    tracker.on_progress(table, Delivery::every());
    tracker.succeed();
    tracker.fail();
    tracker.wait();
    CHECK(last().unlisted == 2);
  }
}

TEST_CASE("Table: items that begin are seen while nothing completes") {
  const Sqlite db;
  const StatusTable table(clips_in(db.database()));
  Steps steps;
  BatchProcessor<int> processor({.max_workers = 2});
  watch(processor, table, text_of);
  Batch<void> batch = processor.start(numbers(5), std::ref(steps));
  CHECK(eventually([&] {
    const auto seen = see(db.database());
    return seen && seen->items_running == 2;
  }));
  steps.allow(5);
  batch.wait();
}

TEST_CASE("Table: a reader in the middle of a transaction keeps nobody from writing to a file") {
  const Sqlite db;
  const StatusTable table(clips_in(db.database()));
  table(snapshot(1, 2));
  REQUIRE(table.flush(patience()));
  Client client(db.database());
  client.execute("begin");
  CHECK(client.see().value().completed == 1);
  table(whole(2));
  CHECK(table.flush(patience()));
  CHECK(client.see().value().completed == 1);
  client.execute("commit");
  CHECK(client.see().value().completed == 2);
}

TEST_CASE("Table: the destructor of the last copy waits for the last state, and not for ever") {
  const Sqlite db;
  StatusTableOptions options = clips_in(db.database());
  SECTION("a processor that goes at once after its batch") {
    options.linger = 1h;
    {
      BatchProcessor<int> processor({.max_workers = 2});
      watch(processor, StatusTable{options}, text_of);
      processor.run(numbers(2000), [](int) {});
    }
    CHECK(see(db.database()).value().items_succeeded == 2000);
  }
  SECTION("a database that does not come") {
    options.database = "sqlite3://" + (db.file().parent_path() / "none" / "clips.db").string();
    options.backoff = 1h;
    const StatusTable table(options);
    table(whole(7));
    REQUIRE(eventually([&] { return table.failed_attempts() == 1; }));
  }
  SECTION("one that has nothing to write") {
    options.linger = 1h;
    const StatusTable table(options);
    CHECK(table.flush(0s));
  }
}

TEST_CASE("Table: absurd options are refused, and what was moved from does nothing") {
  const Sqlite db;
  const auto refusal = [&](auto change) {
    StatusTableOptions options = clips_in(db.database());
    change(options);
    try {
      const StatusTable table(options);
      return std::string("nothing");
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
  };
  using Options = StatusTableOptions;
  CHECK(refusal([](Options&) {}) == "nothing");
  CHECK_THAT(refusal([](Options& o) { o.name = ""; }), ContainsSubstring("name is empty"));
  CHECK(refusal([](Options& o) { o.name = std::string(200, '\xff'); }) == "nothing");
  CHECK_THAT(refusal([](Options& o) { o.name = std::string(201, 'x'); }),
             ContainsSubstring("longer than 200"));
  CHECK_THAT(refusal([](Options& o) { o.database = "mysql://password=x"; }),
             ContainsSubstring("begins neither with") && !ContainsSubstring("password"));
  CHECK_THAT(refusal([](Options& o) { o.database = "sqlite3://"; }),
             ContainsSubstring("names none"));
  CHECK_THAT(refusal([](Options& o) { o.timeout = 0s; }), ContainsSubstring("timeout is 0 ns"));
  CHECK_THAT(refusal([](Options& o) { o.backoff = 0s; }), ContainsSubstring("backoff is 0 ns"));
  CHECK_THAT(refusal([](Options& o) { o.linger = -1ns; }), ContainsSubstring("linger is -1 ns"));

  StatusTable table(clips_in(db.database()));
  const StatusTable other(std::move(table));
  table(whole(1));  // NOLINT(bugprone-use-after-move)
  CHECK(table.flush(0s));
  CHECK(table.error().empty());
  CHECK(table.failed_attempts() == 0);
  BatchProcessor<int> processor({.max_workers = 1});
  watch(processor, table, text_of);
  CHECK(processor.run(numbers(3), [](int) {}).all_succeeded());
  CHECK_FALSE(std::filesystem::exists(db.file()));
}
