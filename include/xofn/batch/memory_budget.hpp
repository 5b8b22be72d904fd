// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <xofn/batch/limit.hpp>
#include <xofn/sync.hpp>

namespace xofn {

namespace detail {
template <class Sync>
class Admission;
}

/// So much memory, of a device, of the machine or of what it may be, shared by all batches whose
/// options point to it: an item runs only while what it needs is taken off the budget. What items
/// need says `BatchProcessor::memory_by`.
///
/// It must outlive the batches. Its calls may come from any thread.
///
/// It guarantees that items which run never need more together than there is. No thread waits for
/// memory: an item for which too little is left waits alone, its batch does nothing meanwhile, and
/// no batch that began to wait later is given memory before it. So big items are not starved by
/// small ones. An item that needs nothing waits for nothing; one that needs more than there is
/// fails with `MemoryExceeded` when its turn comes.
///
/// An item lends its memory to the batches that it begins on the same budget, to one item of theirs
/// at a time, else that would wait for ever; more of them run when there is memory for them. None
/// of them may need more than the item that lends, which could wait for the rest for ever: it fails
/// with `MemoryExceeded`. What `ResourceSlots` says of slots and of other limits holds for memory.
///
///     MemoryBudget vram{24ull << 30};
///     BatchProcessor<Model> processor{{.memory = &vram}};
///     processor.memory_by([](const Model& model) { return model.bytes; });
template <class Sync = StdSync>
class BasicMemoryBudget {
 public:
  /// In bytes, or in what memory_by() counts. With 0 an item that needs any fails. Throws
  /// std::invalid_argument below 0.
  explicit BasicMemoryBudget(std::integral auto capacity) : limit_({Part{{}, checked(capacity)}}) {}

  BasicMemoryBudget(const BasicMemoryBudget&) = delete;
  BasicMemoryBudget& operator=(const BasicMemoryBudget&) = delete;

  [[nodiscard]] std::uint64_t capacity() const noexcept { return limit_.parts().front().capacity; }

  /// How much was held a moment ago.
  [[nodiscard]] std::uint64_t in_use() const { return limit_.in_use(); }

 private:
  friend class detail::Admission<Sync>;
  using Part = typename detail::Limit<Sync>::Part;

  template <class Integer>
  static std::uint64_t checked(Integer capacity) {
    if constexpr (std::is_signed_v<Integer>) {
      if (capacity < 0) {
        throw std::invalid_argument("xofn: MemoryBudget: a budget of " + std::to_string(capacity));
      }
    }
    return static_cast<std::uint64_t>(capacity);
  }

  detail::Limit<Sync> limit_;
};

using MemoryBudget = BasicMemoryBudget<>;

}  // namespace xofn
