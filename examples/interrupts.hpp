// SPDX-License-Identifier: MIT
// Ctrl-C for a program with threads: one of them waits for it, and may do what a handler must not.
// SIGTERM counts as Ctrl-C.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <thread>

/// Keeps Ctrl-C from the threads that are started while it lives. The first Ctrl-C calls what
/// `listen` was given, a second one ends the program at once.
class Interrupts {
 public:
  Interrupts() {
    sigemptyset(&interrupt_);
    sigaddset(&interrupt_, SIGINT);
    sigaddset(&interrupt_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &interrupt_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() { end(); }

  template <class F>
  void listen(F on_first) {
    listener_ = std::thread([this, on_first] {
      for (int signal = 0; sigwait(&interrupt_, &signal) == 0 && !is_over_;) {
        if (were_any_.exchange(true)) std::_Exit(130);
        on_first();
      }
    });
  }

  /// Calls nothing any more. Returns whether there was a Ctrl-C.
  bool end() {
    if (listener_.joinable()) {
      is_over_ = true;
      pthread_kill(listener_.native_handle(), SIGINT);
      listener_.join();
    }
    pthread_sigmask(SIG_UNBLOCK, &interrupt_, nullptr);
    return were_any_;
  }

 private:
  sigset_t interrupt_;
  std::atomic<bool> is_over_{false};
  std::atomic<bool> were_any_{false};
  std::thread listener_;
};
