// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>
#include <xofn/batch/executor.hpp>
#include <xofn/batch/options.hpp>
#include <xofn/sync.hpp>

namespace xofn {

/// A fixed number of threads that run functions in the order in which they were given.
///
/// It requires that functions do not throw, which would end the program, and that it is not
/// destroyed by one of its own threads. It guarantees that each function is run once: the
/// destructor runs what is left and joins the threads. May be shared by any number of processors:
/// a batch gives its thread to what waits for one after some milliseconds, and gets in line again.
/// Debuggers see its threads as "xofn 0", "xofn 1", ...
///
///     ThreadPool pool{4};
///     BatchProcessor<Video> videos{pool};
///     BatchProcessor<Image> images{pool, {.max_workers = 2}};
template <class Sync = StdSync>
class BasicThreadPool {
 public:
  /// Starts `threads` threads; 0 stands for what the hardware runs at once. Throws
  /// std::invalid_argument above 65,536, std::system_error if there are not that many to be had.
  explicit BasicThreadPool(unsigned threads = 0)
      : BasicThreadPool(grows_as_needed{},
                        detail::definite_threads<Sync>(threads, "ThreadPool's size")) {
    try {
      typename Sync::lock guard(mutex_);
      while (threads_.size() < most_threads_) start_thread();
    } catch (...) {
      stop();
      throw;
    }
  }

  /// Chooses a pool without threads at first, each started when there is work and no idle thread.
  struct grows_as_needed {};
  BasicThreadPool(grows_as_needed, unsigned most_threads) : most_threads_(most_threads) {}

  BasicThreadPool(const BasicThreadPool&) = delete;
  BasicThreadPool& operator=(const BasicThreadPool&) = delete;
  ~BasicThreadPool() { stop(); }

  /// Has `f` run by one of the threads. From any thread, those of the pool included. Throws
  /// std::system_error if the pool has no thread and can start none; then `f` is destroyed unrun.
  ///
  /// Memory ordering: what the caller did before is visible to `f`.
  template <class F>
  void execute(F&& f) {
    static_assert(std::is_invocable_v<std::decay_t<F>&>,
                  "xofn: ThreadPool::execute: the function is not callable without arguments");
    auto job = std::make_unique<JobOf<std::decay_t<F>>>(std::forward<F>(f));
    const typename Sync::lock guard(mutex_);
    if (idle_ <= jobs_.size() && threads_.size() < most_threads_ && !stopping_) {
      try {
        start_thread();
      } catch (const std::system_error&) {
        if (threads_.empty()) throw;  // else those that there are come to it
      }
    }
    jobs_.push_back(std::move(job));
    wake_.notify_one();
  }

  /// Destroys, without running them, the functions that wait to be run and whose `owner()` is
  /// `owner`. A batch takes back so the requests for threads that came too late.
  void withdraw(const void* owner) {
    std::deque<std::unique_ptr<Job>> withdrawn;  // destroyed when the lock has been released
    const typename Sync::lock guard(mutex_);
    const auto first = std::stable_partition(
        jobs_.begin(), jobs_.end(), [&](const auto& job) { return job->owner() != owner; });
    withdrawn.assign(std::make_move_iterator(first), std::make_move_iterator(jobs_.end()));
    jobs_.erase(first, jobs_.end());
  }

  /// Whether functions wait for a thread.
  [[nodiscard]] bool has_waiting() const {
    const typename Sync::lock guard(mutex_);
    return !jobs_.empty();
  }

  /// The number of threads started.
  [[nodiscard]] std::size_t size() const {
    const typename Sync::lock guard(mutex_);
    return threads_.size();
  }

  [[nodiscard]] bool running_in_this_thread() const {
    const typename Sync::lock guard(mutex_);
    return std::find(slots_.begin(), slots_.end(), Sync::thread_slot()) != slots_.end();
  }

 private:
  struct Job {
    virtual ~Job() = default;
    virtual void run() = 0;
    [[nodiscard]] virtual const void* owner() const noexcept = 0;
  };

  template <class F>
  struct JobOf final : Job {
    explicit JobOf(F&& f) : function(std::move(f)) {}
    explicit JobOf(const F& f) : function(f) {}
    void run() override { function(); }
    [[nodiscard]] const void* owner() const noexcept override {
      if constexpr (detail::IsWithdrawable<F>) {
        return function.owner();
      } else {
        return nullptr;
      }
    }
    F function;
  };

  /// Under the lock.
  void start_thread() {
    slots_.reserve(threads_.size() + 1);
    threads_.reserve(threads_.size() + 1);
    threads_.push_back(typename Sync::thread([this, number = threads_.size()] {
      Sync::name_thread(("xofn " + std::to_string(number)).c_str());
      work();
    }));
  }

  void work() noexcept {
    typename Sync::lock guard(mutex_);
    slots_.push_back(Sync::thread_slot());
    for (;;) {
      while (jobs_.empty() && !stopping_) {
        ++idle_;
        wake_.wait(guard);
        --idle_;
      }
      if (jobs_.empty()) return;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      guard.unlock();
      job->run();
      job.reset();
      guard.lock();
    }
  }

  void stop() noexcept {
    {
      const typename Sync::lock guard(mutex_);
      stopping_ = true;
      wake_.notify_all();
    }
    for (auto& thread : threads_) thread.join();
  }

  const unsigned most_threads_;
  mutable typename Sync::mutex mutex_;
  typename Sync::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::vector<std::size_t> slots_;  // of the threads
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<typename Sync::thread> threads_;
};

using ThreadPool = BasicThreadPool<>;

static_assert(Executor<ThreadPool>);

}  // namespace xofn
