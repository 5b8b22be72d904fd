// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#endif

namespace xofn {

namespace detail {

/// A std::thread that is joined when it is destroyed; `std::jthread` is not everywhere yet.
class JoiningThread {
 public:
  JoiningThread() noexcept = default;

  /// Throws std::system_error when the system has no thread to give.
  template <class F>
  explicit JoiningThread(F f) : thread_(std::move(f)) {}

  JoiningThread(JoiningThread&&) noexcept = default;
  JoiningThread& operator=(JoiningThread&& other) noexcept {
    join();
    thread_ = std::move(other.thread_);
    return *this;
  }
  ~JoiningThread() { join(); }

  void join() {
    if (thread_.joinable()) thread_.join();
  }

  void detach() { thread_.detach(); }

 private:
  std::thread thread_;
};

}  // namespace detail

/// Where every thread, lock, atomic and clock of the library comes from.
///
/// Each class that synchronises takes a type of this shape as its last template parameter, so that
/// a test can run the same code under a scheduler of its own. No other header names these things.
struct StdSync {
  template <class T>
  using atomic = std::atomic<T>;
  using mutex = std::mutex;
  using lock = std::unique_lock<std::mutex>;
  using condition_variable = std::condition_variable;
  using thread = detail::JoiningThread;
  using clock = std::chrono::steady_clock;
  using wall_clock = std::chrono::system_clock;

  /// A counter that is cheaper to read than the clock, at a rate that is not known. Fewer than
  /// `least_ticks_in_a_microsecond` between two readings mean less than that time.
#if defined(__x86_64__) && defined(__GNUC__)
  [[nodiscard]] static std::uint64_t ticks() noexcept { return __builtin_ia32_rdtsc(); }
  static constexpr std::uint64_t least_ticks_in_a_microsecond = 800;  // 0.8 GHz
#else
  [[nodiscard]] static std::uint64_t ticks() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds(clock::now().time_since_epoch()).count());
  }
  static constexpr std::uint64_t least_ticks_in_a_microsecond = 1000;
#endif

  /// A small number for the calling thread, handed out in turn and kept for the thread's life.
  [[nodiscard]] static std::size_t thread_slot() noexcept {
    static std::atomic<std::size_t> next{0};
    // relaxed: the numbers need to differ, nothing is read through them
    thread_local const std::size_t slot = next.fetch_add(1, std::memory_order_relaxed);
    return slot;
  }

  /// A pointer of the calling thread's own, null at first: the user code that it is inside.
  [[nodiscard]] static const void*& thread_pointer() noexcept {
    thread_local const void* pointer = nullptr;
    return pointer;
  }

  /// What debuggers are to call the calling thread, at most 15 characters. Does nothing where the
  /// system's threads have no names.
  static void name_thread([[maybe_unused]] const char* name) noexcept {
#if defined(__linux__)
    pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
    pthread_setname_np(name);
#endif
  }

  /// Has writing to a pipe that nobody reads any more fail in the calling thread, where it would
  /// end the process.
  static void bear_broken_pipes() noexcept {
#if defined(__linux__) || defined(__APPLE__)
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
#endif
  }

  /// How often a thread looks for news, some tens of nanoseconds apart, before it sleeps: for about
  /// as long as waking it takes.
  static constexpr int looks_before_sleep = 500;

  /// Passes a moment between two looks.
  static void cpu_relax() noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
    __builtin_ia32_pause();
#endif
  }

  /// Lets other threads run.
  static void yield() noexcept { std::this_thread::yield(); }

  /// The number of threads that the hardware runs at once, at least 1.
  [[nodiscard]] static unsigned hardware_threads() noexcept {
    const unsigned threads = std::thread::hardware_concurrency();
    return threads == 0 ? 1 : threads;
  }
};

}  // namespace xofn
