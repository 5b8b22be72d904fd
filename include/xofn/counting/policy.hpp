// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <xofn/sync.hpp>

namespace xofn {

/// How a count is kept: a plain struct with a member template `cell<Sync>`, where a cell is built
/// from its first value and offers to any number of threads
///
///     add(n)      adds n modulo 2^64; returns the new value, exact and unique, or nothing
///     value()     the count
///     reset(to)   sets the count and returns what it took
///
/// `add` touches the cell no more once the new value can be seen, since who sees it may destroy it.
template <class Counting>
concept CountingPolicy = requires(typename Counting::template cell<StdSync>& cell,
                                  const typename Counting::template cell<StdSync>& read_only,
                                  std::int64_t n) {
  requires std::constructible_from<typename Counting::template cell<StdSync>, std::int64_t>;
  requires std::is_void_v<decltype(cell.add(n))> ||
      std::same_as<decltype(cell.add(n)), std::int64_t>;
  { read_only.value() } -> std::same_as<std::int64_t>;
  { cell.reset(n) } -> std::same_as<std::int64_t>;
};

/// A counting policy whose `add` returns the new value. One can wait for such a count and be told
/// of its changes; for that, `add`, `value` and `reset` are in one total order with all
/// sequentially consistent operations: a seq_cst atomic, or a lock.
template <class Counting>
concept ExactCountingPolicy = CountingPolicy<Counting> &&
    requires(typename Counting::template cell<StdSync>& cell, std::int64_t n) {
  { cell.add(n) } -> std::same_as<std::int64_t>;
};

}  // namespace xofn
