// SPDX-License-Identifier: MIT
// Not API: the tables, in the SQL that SQLite and PostgreSQL share.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace xofn::detail {

/// What is changed here makes another version. SQLite takes any word for a type: there, times are
/// text and booleans are 0 and 1.
inline constexpr int table_version = 1;

inline constexpr std::array create_tables{
    "create table xofn_schema (version integer not null)",
    "create table xofn_batches ("
    "name text primary key, run bigint not null, state text not null,"
    "completed bigint not null, total bigint not null, succeeded bigint not null,"
    "failed bigint not null, cancelled bigint not null, running bigint not null,"
    "queued bigint not null, retried bigint not null, unlisted bigint not null,"
    "total_is_final boolean not null, weight_completed bigint, weight_total bigint,"
    "elapsed_seconds double precision not null, started_at timestamptz not null,"
    "updated_at timestamptz not null, ended_at timestamptz,"
    "check (completed = succeeded + failed),"
    "check (succeeded + failed + cancelled + running + queued = total))",
    "create table xofn_items ("
    "batch text not null, item bigint not null, name text, state text not null,"
    "attempts bigint not null, error text, started_at timestamptz, ended_at timestamptz,"
    "primary key (batch, item))",
    "insert into xofn_schema values (1)"};

inline constexpr std::array batch_columns{"name",           "run",
                                          "state",          "completed",
                                          "total",          "succeeded",
                                          "failed",         "cancelled",
                                          "running",        "queued",
                                          "retried",        "unlisted",
                                          "total_is_final", "weight_completed",
                                          "weight_total",   "elapsed_seconds",
                                          "started_at",     "updated_at",
                                          "ended_at"};

inline constexpr std::array item_columns{"batch",    "item",  "name",       "state",
                                         "attempts", "error", "started_at", "ended_at"};

/// Inserts so many rows, or has them in the place of those with the same `key`. The values are
/// those of one row after the other.
template <std::size_t Columns>
[[nodiscard]] std::string upsert(const std::string& table,
                                 const std::array<const char*, Columns>& columns,
                                 const std::string& key, std::size_t rows) {
  std::string names;
  std::string changes;
  for (const char* const column : columns) {
    names.append(names.empty() ? "" : ",").append(column);
    changes.append(changes.empty() ? "" : ",").append(column);
    changes.append("=excluded.").append(column);
  }
  std::string values;
  for (std::size_t i = 0; i != rows * Columns; ++i) {
    values += i % Columns == 0 ? (i == 0 ? "(" : "),(") : ",";
    values.append(":v").append(std::to_string(i));
  }
  return "insert into " + table + " (" + names + ") values " + values + ") on conflict (" + key +
         ") do update set " + changes;
}

}  // namespace xofn::detail
