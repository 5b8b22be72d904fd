// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <xofn/batch/batch.hpp>
#include <xofn/batch/batch_settings.hpp>
#include <xofn/batch/executor.hpp>
#include <xofn/batch/handled_tasks.hpp>
#include <xofn/batch/handler.hpp>
#include <xofn/batch/listeners.hpp>
#include <xofn/batch/open_batch.hpp>
#include <xofn/batch/open_run.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/batch/run.hpp>
#include <xofn/batch/task_timeout.hpp>
#include <xofn/batch/thread_pool.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// Runs batches of tasks on several threads, and tells, exactly, that X of N are done.
///
/// `Task` is one unit of a batch: data for a handler, or itself callable. A processor is given its
/// callbacks and then runs one batch at a time, any number of them. It owns its threads, from the
/// first use until it is destroyed, or borrows an executor, which must outlive its batches.
///
/// It guarantees that each item settles once; that a failed item counts, and stops nothing else;
/// that callbacks are told as their `Delivery` says, never two calls of one at once, each with what
/// the items did that it counts; and that nothing is called after `run()` or `wait()` has returned.
/// Exceptions from tasks and callbacks are kept in the report.
///
///     BatchProcessor<Video> processor{{.max_workers = 4}};
///     processor.on_progress([](const Progress& p) { std::cout << p << '\n'; });
///     BatchReport<Clip> report = processor.run(videos, render);
template <class Task, class Sync = StdSync>
class BatchProcessor : public BatchSettings<BatchProcessor<Task, Sync>, Task, Sync> {
  static_assert(
      std::is_object_v<Task> && std::same_as<Task, std::remove_cv_t<Task>>,
      "xofn: a processor's Task is an object type, without const and without a reference");

 public:
  /// A processor with threads of its own. Throws std::invalid_argument for absurd options.
  explicit BatchProcessor(BasicBatchOptions<Sync> options = {})
      : options_(detail::definite<Sync>(std::move(options))),
        own_threads_(std::in_place, typename BasicThreadPool<Sync>::grows_as_needed{},
                     options_.max_workers),
        executor_(*own_threads_) {}

  /// A processor on an executor that it borrows.
  template <Executor E>
  explicit BatchProcessor(E& executor, BasicBatchOptions<Sync> options = {})
      : options_(detail::definite<Sync>(std::move(options))), executor_(executor) {}

  BatchProcessor(const BatchProcessor&) = delete;
  BatchProcessor& operator=(const BatchProcessor&) = delete;

  /// Waits, if it owns its threads, until a started batch needs them no more: an open one until it
  /// is closed or cancelled, a paused one until it is resumed or cancelled. Not to be destroyed by
  /// a task or callback of a batch of its own, which would wait for itself.
  ~BatchProcessor() {
    if (own_threads_) listeners()->occupancy.wait_until_work_is_over();
  }

  /// Runs `handler(task)` or `handler(task, TaskContext&)` for each task, and returns when all are
  /// told. `tasks` and `handler` are used where they are; the handler is called by several threads
  /// at once. The calling thread is one of the workers, unless a callback is told `on_caller()`.
  ///
  /// Throws what `begin()` and `size()` of the range throw, and std::logic_error while a batch of
  /// this processor runs; then nothing has run.
  ///
  /// Memory ordering: what the caller did before is visible to the tasks; what tasks and callbacks
  /// did, to the caller afterwards.
  template <class Range, class Handler>
  auto run(Range&& tasks, Handler&& handler) {
    using Result = typename detail::BatchResult<Task, Range&, Handler&>::type;
    detail::HandledTasksOf<Task, Result, Range&, Handler&, Sync> items(tasks, handler,
                                                                       keeps_tasks());
    detail::BatchRun<Task, Result, Sync> batch(workforce(), options_, listeners(),
                                               {std::shared_ptr<void>{}, &items});
    batch.run();
    return batch.report();
  }

  /// Runs tasks that are callable themselves: `task()` or `task(TaskContext&)`.
  template <class Range>
  auto run(Range&& tasks) {
    return run(std::forward<Range>(tasks), detail::CallTask{});
  }

  /// Begins to run a batch that owns its tasks and handler, and returns a handle. Throws as `run`
  /// does, and what the executor throws if not even one thread is to be had.
  template <class Range, class Handler>
  auto start(Range&& tasks, Handler&& handler) {
    using Owned = std::remove_cvref_t<Range>;
    static_assert(
        !std::is_lvalue_reference_v<Range> || std::ranges::view<Owned>,
        "xofn: a started batch owns its tasks: write start(std::move(tasks), ...), or pass "
        "a copy");
    static_assert(!detail::is_initializer_list<Owned>,
                  "xofn: an initializer_list does not own its tasks: write "
                  "start(std::vector{...}, ...)");
    using OwnHandler = std::decay_t<Handler>;
    using Result = typename detail::BatchResult<Task, Owned, OwnHandler>::type;
    listeners()->occupancy.check_free();  // before the tasks are moved from
    auto batch = std::make_shared<detail::BatchRun<Task, Result, Sync>>(
        workforce(), options_, listeners(),
        std::make_shared<detail::HandledTasksOf<Task, Result, Owned, OwnHandler, Sync>>(
            Owned(std::forward<Range>(tasks)), OwnHandler(std::forward<Handler>(handler)),
            keeps_tasks()));
    batch->start();
    return Batch<Result, Sync>(std::move(batch));
  }

  /// The same for tasks that are callable themselves.
  template <class Range>
  auto start(Range&& tasks) {
    return start(std::forward<Range>(tasks), detail::CallTask{});
  }

  /// Begins a batch without tasks, which are added to it until it is closed. It owns the handler.
  /// Throws as `start` does.
  ///
  ///     OpenBatch<Video, Clip> batch = processor.open(render);
  ///     for (Video& video : folder) batch.add(std::move(video));
  ///     batch.close();
  template <class Handler>
  auto open(Handler&& handler) {
    using OwnHandler = std::decay_t<Handler>;
    using Result = typename detail::HandlerResult<Task&, OwnHandler>::type;
    using Range = detail::OpenRange<Sync>;
    auto tasks = std::make_shared<detail::HandledTasksOf<Task, Result, Range, OwnHandler, Sync>>(
        Range{options_.max_queued}, OwnHandler(std::forward<Handler>(handler)), keeps_tasks());
    auto& added = tasks->source();
    auto batch = std::make_shared<detail::OpenRun<Task, Result, Sync>>(
        workforce(), options_, listeners(), std::move(tasks), added);
    batch->start();
    detail::OpenItems<Task>& items = *batch;
    return OpenBatch<Task, Result, Sync>(std::move(batch), items);
  }

  /// The same for tasks that are callable themselves.
  auto open() { return open(detail::CallTask{}); }

 private:
  using BatchSettings<BatchProcessor, Task, Sync>::listeners;

  [[nodiscard]] detail::Workforce<Sync> workforce() const {
    return {executor_, options_.max_workers, own_threads_.has_value()};
  }

  /// Whether tasks may be asked for after their use.
  [[nodiscard]] bool keeps_tasks() const noexcept {
    return !listeners()->completion.empty() || !listeners()->failed_attempt.empty() ||
           options_.retry.retries();
  }

  const BasicBatchOptions<Sync> options_;
  std::optional<BasicThreadPool<Sync>> own_threads_;
  detail::ExecutorRef<detail::Ticket<Sync>> executor_;
};

}  // namespace xofn
