// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <version>
#include <xofn/batch/advance_sink.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn {

namespace detail {

/// How a batch tells its running items that it was cancelled, or that their time is up.
class StopSignal {
 public:
  [[nodiscard]] virtual bool stop_requested() const noexcept = 0;
#ifdef __cpp_lib_jthread
  [[nodiscard]] virtual std::stop_token stop_token() const = 0;
#endif

 protected:
  ~StopSignal() = default;
};

}  // namespace detail

/// What a running item may ask of its batch; lives as long as the call that it was passed to.
///
///     processor.run(videos, [](Video& video, TaskContext& context) {
///       for (Frame& frame : video) if (!context.stop_requested()) encode(frame);
///     });
class TaskContext {
 public:
  TaskContext(std::uint64_t index, const detail::StopSignal& signal, std::uint32_t attempt = 1,
              detail::AdvanceSink* sink = nullptr, std::string_view slot = {}) noexcept
      : index_(index), attempt_(attempt), signal_(signal), sink_(sink), slot_(slot) {}
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;

  /// The item's place in the order of submission, from 0.
  [[nodiscard]] std::uint64_t index() const noexcept { return index_; }

  /// Which attempt at the item this is, from 1.
  [[nodiscard]] std::uint32_t attempt() const noexcept { return attempt_; }

  /// The name of the resource, of `BatchOptions::slots`, of which the item holds a slot; empty
  /// where there are none. Lives as long as the ResourceSlots.
  [[nodiscard]] std::string_view slot() const noexcept { return slot_; }

  /// Whether the batch has been cancelled, or the attempt's time is up. The item may end early; it
  /// counts as what it ends as, but as failed if its time was up.
  [[nodiscard]] bool stop_requested() const noexcept { return signal_.stop_requested(); }

#ifdef __cpp_lib_jthread
  /// The same as a token, for what takes one. May outlive the call and the batch; of a batch with a
  /// `task_timeout` it learns nothing after the call.
  [[nodiscard]] std::stop_token stop_token() const { return signal_.stop_token(); }
#endif

  /// Says that `weight` more of the item's own weight is done: `Progress::weight_completed` then
  /// counts it before the item has settled. The item's weight, all told, is the most that it
  /// counts; what an earlier attempt has reported is not counted again. Does nothing where items
  /// are not weighed. From any thread while the call lasts.
  void advance(std::uint64_t weight) noexcept {
    if (sink_ != nullptr) sink_->advance(weight);
  }

 private:
  const std::uint64_t index_;
  const std::uint32_t attempt_;
  const detail::StopSignal& signal_;
  detail::AdvanceSink* const sink_;
  const std::string_view slot_;
};

}  // namespace xofn
