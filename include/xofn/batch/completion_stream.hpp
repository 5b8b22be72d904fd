// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <xofn/batch/batch_of.hpp>
#include <xofn/batch/completed_item.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// The completed items of a batch, as they complete or in the order of submission: an input range,
/// which a thread iterates over while the batch runs. See `Batch::completions()`.
///
/// It requires that the batch lives as long. One thread at a time iterates, and an item is there
/// until the next is asked for.
template <class Result, class Sync = StdSync>
class CompletionStream {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = CompletedItem<Result>;
    using difference_type = std::ptrdiff_t;

    explicit iterator(CompletionStream& stream) noexcept : stream_(&stream) {}

    [[nodiscard]] CompletedItem<Result>& operator*() const noexcept { return *stream_->item_; }
    [[nodiscard]] CompletedItem<Result>* operator->() const noexcept { return &**this; }

    /// Blocks until there is another item, or the batch has ended.
    iterator& operator++() {
      stream_->batch_.next_completed(stream_->item_);
      return *this;
    }
    void operator++(int) { ++*this; }

    [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept {
      return !stream_->item_;
    }

   private:
    CompletionStream* stream_;
  };

  /// For a batch.
  explicit CompletionStream(detail::BatchOf<Result, Sync>& batch) : batch_(batch) {
    batch_.begin_stream();
  }
  CompletionStream(const CompletionStream&) = delete;
  CompletionStream& operator=(const CompletionStream&) = delete;
  ~CompletionStream() { batch_.end_stream(); }

  /// At the item where iterating stands; at first, blocks until there is one.
  [[nodiscard]] iterator begin() {
    iterator first(*this);
    if (!item_) ++first;
    return first;
  }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  detail::BatchOf<Result, Sync>& batch_;
  std::optional<CompletedItem<Result>> item_;
};

}  // namespace xofn
