// SPDX-License-Identifier: MIT
#pragma once

#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/batch/executor.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// The threads of a oneTBB `task_arena`, as an executor.
///
/// It refers to the arena, which must outlive it, and may be used by several threads at once. An
/// arena has as many threads as oneTBB has for it, which is one less than the hardware runs at once
/// unless a `tbb::global_control` says otherwise. A task that runs one of oneTBB's own loops may
/// come to run items of other batches of the arena meanwhile, unless the loop is in
/// `tbb::this_task_arena::isolate`. Link `xofn::tbb`.
///
///     tbb::task_arena arena{4, 0};  // none of them is kept for a thread of ours
///     TbbArena threads{arena};
///     BatchProcessor<Video> processor{threads, {.max_workers = 4}};
class TbbArena {
 public:
  explicit TbbArena(tbb::task_arena& arena) : arena_(arena), inside_(arena) {}

  /// Has one of the threads run `f`. Throws what `enqueue` of the arena throws.
  template <class F>
  void execute(F&& f) {
    // Shared, since the arena wants what can be copied and called while it is const.
    auto function = std::make_shared<std::decay_t<F>>(std::forward<F>(f));
    arena_.enqueue([function = std::move(function)] { (*function)(); });
  }

  /// Whether the calling thread is inside the arena, be it in `execute` or in a loop.
  [[nodiscard]] bool running_in_this_thread() const { return inside_.has_this_thread(); }

  /// An arena cannot be asked, so a batch gets in line again from time to time.
  [[nodiscard]] static bool has_waiting() noexcept { return true; }

 private:
  /// The threads inside an arena, as it tells them: it cannot be asked.
  class Threads final : public tbb::task_scheduler_observer {
   public:
    explicit Threads(tbb::task_arena& arena) : task_scheduler_observer(arena) { observe(true); }
    ~Threads() override { observe(false); }

    void on_scheduler_entry(bool) override {
      const StdSync::lock guard(mutex_);
      slots_.push_back(StdSync::thread_slot());
    }
    void on_scheduler_exit(bool) override {
      const StdSync::lock guard(mutex_);
      const auto slot = std::find(slots_.begin(), slots_.end(), StdSync::thread_slot());
      if (slot != slots_.end()) slots_.erase(slot);
    }

    [[nodiscard]] bool has_this_thread() const {
      const StdSync::lock guard(mutex_);
      return std::find(slots_.begin(), slots_.end(), StdSync::thread_slot()) != slots_.end();
    }

   private:
    mutable StdSync::mutex mutex_;
    std::vector<std::size_t> slots_;
  };

  tbb::task_arena& arena_;
  Threads inside_;
};

static_assert(Executor<TbbArena>);

}  // namespace xofn
