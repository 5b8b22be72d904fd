// SPDX-License-Identifier: MIT
// Not API: an SQL statement that is given its values.
#pragma once

#include <soci/soci.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace xofn::detail {

/// As text, of which the database makes what its column has.
using TableValue = std::optional<std::string>;

/// Prepared once, and executed any number of times, with values for what is `:name` in its text.
class TableStatement {
 public:
  TableStatement(soci::session& session, const std::string& text, std::size_t values)
      : values_(values), indicators_(values), statement_(session) {
    for (std::size_t i = 0; i != values; ++i) {
      statement_.exchange(soci::use(values_[i], indicators_[i]));
    }
    statement_.alloc();
    statement_.prepare(text);
    statement_.define_and_bind();
  }

  /// Returns how many rows it has changed.
  long long execute(std::vector<TableValue> values) {
    for (std::size_t i = 0; i != values.size(); ++i) {
      indicators_[i] = values[i] ? soci::i_ok : soci::i_null;
      values_[i] = values[i] ? *std::move(values[i]) : std::string{};
    }
    statement_.execute(true);
    return statement_.get_affected_rows();
  }

 private:
  std::vector<std::string> values_;
  std::vector<soci::indicator> indicators_;
  soci::statement statement_;
};

}  // namespace xofn::detail
