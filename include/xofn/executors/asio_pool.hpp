// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>
#include <xofn/batch/executor.hpp>

namespace xofn {

/// The threads of a Boost.Asio `thread_pool`, as an executor.
///
/// It refers to the pool, which must outlive it and is not to be stopped while a batch that was
/// started is on it. May be used by several threads at once. Link `xofn::asio`.
///
///     boost::asio::thread_pool pool{4};
///     AsioPool threads{pool};
///     BatchProcessor<Video> processor{threads, {.max_workers = 4}};
class AsioPool {
 public:
  explicit AsioPool(boost::asio::thread_pool& pool) noexcept : pool_(pool) {}

  /// Has one of the threads run `f`, never at once: a pool's own executor would do that where one
  /// of its threads asks for another. Throws what `boost::asio::post` throws.
  template <class F>
  void execute(F&& f) {
    boost::asio::post(pool_, std::forward<F>(f));
  }

  [[nodiscard]] bool running_in_this_thread() const {
    return pool_.get_executor().running_in_this_thread();
  }

  /// A pool cannot be asked, so a batch gets in line again from time to time.
  [[nodiscard]] static bool has_waiting() noexcept { return true; }

 private:
  boost::asio::thread_pool& pool_;
};

static_assert(Executor<AsioPool>);

}  // namespace xofn
