// SPDX-License-Identifier: MIT
// Not API: an end to waiting for a server.
#pragma once

#include <sys/socket.h>

#include <xofn/sync.hpp>

namespace xofn::detail {

/// Unless it has gone by the deadline, ends what a socket is used for: whoever waits there for an
/// answer then learns that none will come.
template <class Sync = StdSync>
class HangUp {
 public:
  using TimePoint = typename Sync::clock::time_point;

  /// Throws std::system_error if there is no thread to be had.
  HangUp(int socket, TimePoint deadline)
      : thread_([this, socket, deadline] {
          Lock guard(mutex_);
          while (!is_over_ && Sync::clock::now() < deadline) over_.wait_until(guard, deadline);
          if (!is_over_) shutdown(socket, SHUT_RDWR);
        }) {}
  HangUp(const HangUp&) = delete;
  HangUp& operator=(const HangUp&) = delete;
  ~HangUp() {
    {
      const Lock guard(mutex_);
      is_over_ = true;
      over_.notify_one();
    }
    thread_.join();
  }

 private:
  using Lock = typename Sync::lock;

  typename Sync::mutex mutex_;
  typename Sync::condition_variable over_;
  bool is_over_ = false;
  typename Sync::thread thread_;
};

}  // namespace xofn::detail
