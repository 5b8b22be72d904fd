// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

namespace xofn {

/// Where a StatusTable is, and how long it tries. What is out of range is refused with
/// std::invalid_argument.
struct StatusTableOptions {
  /// "sqlite3://" and a file, which is made where there is none, in a folder that there is; or
  /// "postgresql://" and what libpq connects by, such as "host=/run/postgresql dbname=clips".
  std::string database = {};

  /// What the batch is called: 1 to 200 bytes, of which NUL and what is no UTF-8 are replaced by
  /// U+FFFD.
  std::string name = {};

  /// How long one attempt to write may take before it has failed: 10 ms to 1 h. It has to be enough
  /// to delete the rows of the run before. Connecting to PostgreSQL may take 2 s in any case, and
  /// looking up the name of a host is the system's.
  std::chrono::nanoseconds timeout = std::chrono::seconds{5};

  /// How long it waits after a first failure: 1 ms to 1 h. After each further one it waits twice as
  /// long, up to 2 s, or to `backoff` if that is longer.
  std::chrono::nanoseconds backoff = std::chrono::milliseconds{50};

  /// How long the last copy's destructor goes on trying to write what is left: 0 to 1 h.
  std::chrono::nanoseconds linger = std::chrono::seconds{3};
};

namespace detail {

/// Throws std::invalid_argument for options that make no sense.
inline void check(const StatusTableOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw std::invalid_argument("xofn: StatusTableOptions: " + what);
  };
  const auto check_between = [&](const char* name, std::chrono::nanoseconds time,
                                 std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    if (time >= least && time <= most) return;
    refuse(std::string(name) + " is " + std::to_string(time.count()) + " ns, not between " +
           std::to_string(least.count()) + " ns and " + std::to_string(most.count()) + " ns");
  };
  // Not the value: there may be a password in it.
  if (!options.database.starts_with("sqlite3://") &&
      !options.database.starts_with("postgresql://")) {
    refuse("database begins neither with sqlite3:// nor with postgresql://");
  }
  if (options.database.ends_with("://")) refuse("database names none");
  if (options.name.empty()) refuse("name is empty");
  if (options.name.size() > 200) refuse("name is longer than 200 bytes");
  using std::chrono::hours;
  using std::chrono::milliseconds;
  check_between("timeout", options.timeout, milliseconds{10}, hours{1});
  check_between("backoff", options.backoff, milliseconds{1}, hours{1});
  check_between("linger", options.linger, milliseconds{0}, hours{1});
}

}  // namespace detail
}  // namespace xofn
