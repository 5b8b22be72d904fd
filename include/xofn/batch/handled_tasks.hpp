// SPDX-License-Identifier: MIT
// Not API: tasks, and the handler that they are called with.
#pragma once

#include <cstdint>
#include <exception>
#include <type_traits>
#include <utility>
#include <xofn/batch/attempt.hpp>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/handler.hpp>
#include <xofn/batch/item_timer.hpp>
#include <xofn/batch/results.hpp>
#include <xofn/batch/task_cancelled.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/batch/task_list.hpp>
#include <xofn/batch/task_source.hpp>
#include <xofn/batch/worker.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Is told the task of an item that begins.
template <class Task>
class StartListener {
 public:
  virtual void tell_start(std::uint64_t i, const Task& task, std::uint32_t attempt) = 0;

 protected:
  ~StartListener() = default;
};

/// Items that a worker has run one after the other.
template <class Sync = StdSync>
struct PlainRun {
  std::uint64_t count = 0;
  std::uint64_t end = 0;     ///< behind the last of them
  bool is_cut = false;       ///< the last may have taken a microsecond
  std::exception_ptr error;  ///< what the last one threw, which then is not settled; or null
  typename Worker<Sync>::Word Worker<Sync>::*figure = nullptr;  ///< by which to count it then
};

/// What a batch does with its items, whatever its range and its handler are: the rest of the engine
/// is the same for all of them, and compiled once.
template <class Task, class Result, class Sync = StdSync>
class HandledTasks : public TaskList<Task> {
 public:
  /// Makes the outcome of an attempt at an item. Tells `starts`, unless that is null, before.
  /// Passes on what the handler, or the range, throws, and TaskTimeout if it ends too late.
  virtual void attempt(const Attempt<Sync>& attempt, TaskContext& context,
                       StartListener<Task>* starts, Results<Result>& results) = 0;

  /// How items are run of which nothing is wanted but that they run and are counted.
  struct Plain {
    Claims<Sync>& claims;
    Results<Result>& results;
    const StopSignal& signal;
    bool drops;              ///< nobody will ask for the tasks
    bool keeps;              ///< short ones are kept by the worker, to be told
    ItemTimer<Sync>* timer;  ///< cuts the run behind an item of a microsecond; or null
  };

  /// Runs and counts items of `worker` until it has none left, the run is cut, or one throws.
  virtual PlainRun<Sync> run(Worker<Sync>& worker, const Plain& plain) = 0;
};

/// `Range` and `Handler` are references to what is borrowed, or types of what is owned.
template <class Task, class Result, class Range, class Handler, class Sync>
class HandledTasksOf final : public HandledTasks<Task, Result, Sync> {
 public:
  using Base = HandledTasks<Task, Result, Sync>;
  using Source = TaskSource<Range, Task>;

  /// `keeps` says whether a task may be asked for after its use.
  HandledTasksOf(Range&& range, Handler&& handler, bool keeps)
      : source_(std::forward<Range>(range), keeps), handler_(std::forward<Handler>(handler)) {}

  [[nodiscard]] Source& source() noexcept { return source_; }

  [[nodiscard]] TaskSupply supply() const noexcept override { return Source::supply; }
  [[nodiscard]] std::uint64_t size() const noexcept override { return source_.size(); }
  void make_early() override { source_.make_early(); }
  bool read_one(std::uint64_t& count) override { return source_.read_one(count); }
  [[nodiscard]] const Task* used(std::uint64_t i) override { return source_.used(i); }
  void drop(std::uint64_t i) noexcept override { source_.drop(i); }

  void attempt(const Attempt<Sync>& attempt, TaskContext& context, StartListener<Task>* starts,
               Results<Result>& results) override {
    const std::uint64_t i = context.index();
    const auto call = [&]() -> decltype(auto) {
      return source_.use(i, attempt.number != 1, [&](Reference task) -> decltype(auto) {
        if (starts != nullptr) starts->tell_start(i, task, attempt.number);
        return call_handler<Handler, Reference>(handler_, task, context);
      });
    };
    results.succeed(i, [&]() -> Result {
      if (attempt.deadline == nullptr) return call();
      if constexpr (std::is_void_v<Result>) {
        call();
        attempt.end_in_time();
      } else {
        Result result = call();
        attempt.end_in_time();
        return result;
      }
    });
  }

  PlainRun<Sync> run(Worker<Sync>& worker, const typename Base::Plain& plain) override {
    PlainRun<Sync> run;
    try {
      while (const auto i = plain.claims.next(worker)) {
        worker.start();
        ++run.count;
        run.end = *i + 1;
        plain.results.succeed(*i, [&]() -> Result {
          return source_.use(*i, false, [&](Reference task) -> decltype(auto) {
            TaskContext context(*i, plain.signal);
            return call_handler<Handler, Reference>(handler_, task, context);
          });
        });
        if (plain.drops) source_.drop(*i);
        worker.settle(&Worker<Sync>::succeeded);
        if (plain.timer == nullptr) continue;
        run.is_cut = plain.timer->lap();
        if (run.is_cut) break;
        if (plain.keeps) worker.keep(*i);
      }
    } catch (const TaskCancelled&) {
      run.figure = &Worker<Sync>::cancelled;
      run.error = std::current_exception();
    } catch (...) {
      run.figure = &Worker<Sync>::failed;
      run.error = std::current_exception();
    }
    return run;
  }

 private:
  using Reference = typename Source::reference;

  Source source_;
  Handler handler_;
};

}  // namespace xofn::detail
