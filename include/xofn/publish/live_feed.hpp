// SPDX-License-Identifier: MIT
// Not API: what is pushed to those who are connected.
#pragma once

#include <chrono>
#include <xofn/publish/news_board.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Has each reader told what is new to it, on a thread of its own: one that does not read misses
/// states, and no other waits for it.
template <class Sync = StdSync>
class LiveFeed {
 public:
  /// So often something is sent though nothing has changed: else it would not be known who is gone.
  static constexpr std::chrono::seconds heartbeat{1};

  LiveFeed(NewsBoard<Sync>& board, unsigned most) : board_(board), places_(most) {}

  /// Takes a place for a reader, if there is one.
  [[nodiscard]] bool take_place() {
    const typename Sync::lock guard(mutex_);
    if (places_ == taken_) return false;
    ++taken_;
    return true;
  }

  void leave_place() {
    const typename Sync::lock guard(mutex_);
    --taken_;
    left_.notify_all();
  }

  /// Sends `text_of(news)` by `send(text)`, first of all that there is, until the board is closed
  /// and the last state sent, or sending fails.
  template <class TextOf, class Send>
  void serve(TextOf text_of, Send send) {
    News news = board_.news(0);
    while (send(text_of(news)) && !news.is_last) {
      news = board_.news(news.version, Sync::clock::now() + heartbeat);
    }
  }

  /// Returns when all places have been left, or at `until`.
  void wait_until_left(typename Sync::clock::time_point until) {
    typename Sync::lock guard(mutex_);
    while (taken_ != 0 && Sync::clock::now() < until) left_.wait_until(guard, until);
  }

 private:
  NewsBoard<Sync>& board_;
  const unsigned places_;
  typename Sync::mutex mutex_;
  typename Sync::condition_variable left_;
  unsigned taken_ = 0;
};

}  // namespace xofn::detail
