// SPDX-License-Identifier: MIT
// Not API: a connection to the database that has the tables.
#pragma once

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <xofn/publish/hang_up.hpp>
#include <xofn/publish/link.hpp>
#include <xofn/publish/table_schema.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Connects, and makes the tables where there are none.
template <class Sync = StdSync>
class TableSession {
 public:
  using Milliseconds = std::chrono::milliseconds;
  using TimePoint = typename Sync::clock::time_point;

  /// Throws what SOCI throws, and Refused if the tables are of another version.
  TableSession(const std::string& database, Milliseconds timeout)
      : session_(with_timeout(database, timeout)),
        is_sqlite_(session_.get_backend_name() == "sqlite3") {
    hang_up_at(Sync::clock::now() + timeout);
    if (is_sqlite_) {
      session_ << "pragma busy_timeout=" << timeout.count();
      session_ << "pragma synchronous=normal";
      ask_for_wal();
    } else {
      // Less than the whole, so that the server ends what it does before it is hung up on.
      session_ << "set statement_timeout=" << std::max<long long>(1, timeout.count() * 3 / 4);
      session_ << "set client_encoding='UTF8'";
    }
    check_version();
    if (is_sqlite_) remember_file();
  }

  [[nodiscard]] soci::session& get() noexcept { return session_; }

  /// What waits for a server's answer then, or after that, throws. A file answers in time.
  void hang_up_at(TimePoint deadline) {
    hang_up_.reset();
    if (is_sqlite_) return;
    auto& backend = static_cast<soci::postgresql_session_backend&>(*session_.get_backend());
    hang_up_.emplace(PQsocket(backend.conn_), deadline);
  }
  void do_not_hang_up() { hang_up_.reset(); }

  /// Of one writer at a time, from the beginning.
  void begin() { session_ << (is_sqlite_ ? "begin immediate" : "begin"); }

  /// Throws std::runtime_error if this has gone to a file that nobody can see any more.
  void commit() {
    session_ << "commit";
    if (is_sqlite_ && identity() != identity_) {
      throw std::runtime_error("the file is gone, replaced or emptied");
    }
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  /// The user's own words come later, and so count.
  static std::string with_timeout(std::string database, Milliseconds timeout) {
    const std::string server = "postgresql://";
    if (!database.starts_with(server)) return database;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(timeout).count();
    return database.insert(
        server.size(), "application_name=xofn connect_timeout=" + std::to_string(seconds) + ' ');
  }

  /// So that readers and the writer do not wait for each other. Not to be had on some file systems,
  /// nor while somebody reads: then the next connection asks again.
  void ask_for_wal() {
    try {
      session_ << "pragma journal_mode=wal";
    } catch (const soci::soci_error&) {
      return;
    }
  }

  void check_version() {
    if (const auto version = this->version(); !version) {
      create();
    } else if (*version != table_version) {
      throw Refused("the tables have version " + std::to_string(*version) +
                    ", and this program knows " + std::to_string(table_version) + " only");
    }
  }

  /// None if there are no tables, or they cannot be read: making them then says why.
  std::optional<int> version() {
    int version = 0;
    try {
      session_ << "select max(version) from xofn_schema", soci::into(version);
    } catch (const soci::soci_error&) {
      return std::nullopt;
    }
    return version;
  }

  void create() {
    begin();
    for (const char* const table : create_tables) session_ << table;
    session_ << "commit";
  }

  void remember_file() {
    int number = 0;
    std::string name;
    session_ << "pragma database_list", soci::into(number), soci::into(name), soci::into(file_);
    identity_ = identity();
  }

  /// Of the file that is there now; none if there is none, or somebody has emptied it.
  [[nodiscard]] std::optional<Identity> identity() const {
    struct stat status {};
    if (stat(file_.c_str(), &status) != 0 || status.st_size == 0) return std::nullopt;
    return Identity{status.st_dev, status.st_ino};
  }

  soci::session session_;
  const bool is_sqlite_;
  std::string file_;
  std::optional<Identity> identity_;
  std::optional<HangUp<Sync>> hang_up_;
};

}  // namespace xofn::detail
