// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace schedules {

/// For each location the newest store that is known; what it says of older ones is that they cannot
/// be read any more.
using View = std::vector<std::uint32_t>;

/// Makes `view` know what `other` knows too.
void join(View& view, const View& other);
[[nodiscard]] std::uint32_t known(const View& view, std::uint32_t location);
void learn(View& view, std::uint32_t location, std::uint32_t store);

/// Atomic locations as the standard has them, not as a machine has them: a load may return an older
/// value, unless one that is newer is known to the thread.
///
/// The stores to one location have the order in which they are made; each keeps its value and, by
/// release or as part of a release sequence, the view that an acquiring load takes over. A
/// read-modify-write reads the newest. Sequentially consistent operations have the order in which
/// they are made: such a load reads nothing older than the newest that such an operation on the
/// same location has read or written. There are no fences.
class Memory {
 public:
  /// Where an atomic object is in the memory of the present execution.
  struct Place {
    std::uint64_t execution = 0;
    std::uint32_t location = 0;
  };

  [[nodiscard]] std::uint64_t execution() const noexcept { return execution_; }

  void begin_execution() {
    ++execution_;
    locations_.clear();
  }

  /// The location of an object, made on its first use with the value that it has then.
  std::uint32_t locate(Place& place, std::uint64_t value);

  /// How many stores a load may choose from: 0 is the newest.
  [[nodiscard]] std::size_t choices(const View& view, std::uint32_t location,
                                    std::memory_order order) const;
  [[nodiscard]] std::uint64_t peek(std::uint32_t location, std::size_t age) const;

  std::uint64_t load(View& view, std::uint32_t location, std::size_t age, std::memory_order order);
  void store(View& view, std::uint32_t location, std::uint64_t value, std::memory_order order);
  /// Has read the newest value, and stores another.
  void modify(View& view, std::uint32_t location, std::uint64_t value, std::memory_order order);

 private:
  struct Store {
    std::uint64_t value;
    View view;  // what an acquiring load learns
  };
  struct Location {
    std::vector<Store> stores;
    std::uint32_t newest_sequential = 0;  // that a sequentially consistent operation has seen
  };

  std::uint64_t execution_ = 0;
  std::vector<Location> locations_;
};

}  // namespace schedules
