// SPDX-License-Identifier: MIT
// Not API: a thread of a batch or tracker that does something when it is time.
#pragma once

#include <optional>
#include <xofn/delivery/bell.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// A thread that is started where there is a use for it, and sleeps until the time has come or it
/// is rung for.
template <class Sync = StdSync>
class HelperThread {
 public:
  using time_point = typename Bell<Sync>::time_point;

  HelperThread() = default;
  HelperThread(const HelperThread&) = delete;
  HelperThread& operator=(const HelperThread&) = delete;
  ~HelperThread() { stop(); }

  /// Starts it. It calls `step()`, which returns when to call it again at the latest, or nothing
  /// when all is done; and then `ended()`, as its last touch of anything. Throws std::system_error
  /// when there is no thread to be had.
  template <class Step, class Ended>
  void start(Step step, Ended ended) {
    thread_ = typename Sync::thread([this, step, ended] {
      Sync::name_thread("xofn helper");
      for (;;) {
        const auto seen = bell_.rings();
        const std::optional<time_point> next = step();
        if (!next) break;
        if (bell_.closed()) return;
        bell_.sleep(seen, *next);
      }
      has_ended_ = true;
      ended();
    });
    runs_ = true;
  }

  /// Whether it was started, and not stopped.
  [[nodiscard]] bool runs() const noexcept { return runs_; }

  /// Has it take the next step at once.
  void ring() { bell_.ring(); }

  /// Ends it; the step that it is in returns first. Whether there was more to do.
  bool stop() {
    bell_.close();
    thread_.join();
    runs_ = false;
    return !has_ended_;
  }

 private:
  Bell<Sync> bell_;
  bool runs_ = false;
  bool has_ended_ = false;  // written by the thread, to be read when it has been joined
  typename Sync::thread thread_;
};

}  // namespace xofn::detail
