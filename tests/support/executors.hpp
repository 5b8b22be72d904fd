// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstddef>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

/// Executors of the kinds that users bring, the well-behaved and the others.
namespace support {

/// A move-only function without arguments, to be called at most once.
class Job {
 public:
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Job>) explicit Job(F&& f)
      : body_(std::make_unique<Body<std::decay_t<F>>>(std::forward<F>(f))) {}

  void operator()() { body_->run(); }

 private:
  struct Runnable {
    virtual ~Runnable() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct Body final : Runnable {
    explicit Body(F f) : function(std::move(f)) {}
    void run() override { function(); }
    F function;
  };
  std::unique_ptr<Runnable> body_;
};

/// Runs what it is given at once, on the thread that gives it.
struct InlineExecutor {
  template <class F>
  void execute(F&& f) const {
    auto job = std::forward<F>(f);
    job();
  }
};

/// A thread for each call; joined when it is destroyed.
class ThreadPerCall {
 public:
  ThreadPerCall() = default;
  ThreadPerCall(const ThreadPerCall&) = delete;
  ThreadPerCall& operator=(const ThreadPerCall&) = delete;
  ~ThreadPerCall() { join(); }

  template <class F>
  void execute(F&& f) {
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([job = Job(std::forward<F>(f))]() mutable { job(); });
  }

  [[nodiscard]] std::size_t calls() const {
    const std::lock_guard lock(mutex_);
    return calls_ + threads_.size();
  }

  /// Returns once everything that was executed so far has returned, and what that executed too.
  void join() {
    for (;;) {
      std::vector<std::thread> threads;
      {
        const std::lock_guard lock(mutex_);
        threads.swap(threads_);
        calls_ += threads.size();
      }
      if (threads.empty()) return;
      for (std::thread& thread : threads) thread.join();
    }
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::size_t calls_ = 0;
};

/// Takes the first `good` calls; every later one throws, as when there are no more threads.
class ThrowingExecutor {
 public:
  explicit ThrowingExecutor(int good) : good_(good) {}

  template <class F>
  void execute(F&& f) {
    {
      const std::lock_guard lock(mutex_);
      if (--good_ < 0) {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      }
    }
    threads_.execute(std::forward<F>(f));
  }

 private:
  std::mutex mutex_;
  int good_;
  ThreadPerCall threads_;
};

/// Takes the first `good` calls; of every later one the function is destroyed and never run.
class DroppingExecutor {
 public:
  explicit DroppingExecutor(int good) : good_(good) {}

  template <class F>
  void execute(F&& f) {
    bool drop = false;
    {
      const std::lock_guard lock(mutex_);
      drop = --good_ < 0;
    }
    if (drop) {
      const Job dropped(std::forward<F>(f));
    } else {
      threads_.execute(std::forward<F>(f));
    }
  }

 private:
  std::mutex mutex_;
  int good_;
  ThreadPerCall threads_;
};

/// Keeps what it is given until it is told to run it or to drop it.
class DelayingExecutor {
 public:
  template <class F>
  void execute(F&& f) {
    const std::lock_guard lock(mutex_);
    jobs_.emplace_back(std::forward<F>(f));
  }

  /// Runs what there is, each on a thread of its own, and returns when all have returned.
  void run_all() {
    ThreadPerCall threads;
    for (Job& job : take()) threads.execute(std::move(job));
  }

  /// Destroys what there is.
  void drop_all() { take(); }

  [[nodiscard]] std::size_t pending() const {
    const std::lock_guard lock(mutex_);
    return jobs_.size();
  }

 private:
  std::vector<Job> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(jobs_, {});
  }

  mutable std::mutex mutex_;
  std::vector<Job> jobs_;
};

}  // namespace support
