// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <latch>

namespace speed {

/// Boost.Asio's `thread_pool`: an item is posted, and a latch says when all are done.
class AsioPool {
 public:
  static constexpr const char* name = "Asio thread_pool";

  explicit AsioPool(unsigned threads) : pool_(threads) {}

  template <class Item>
  void run(std::size_t count, const Item& item) {
    std::latch left(static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i != count; ++i) {
      boost::asio::post(pool_, [&item, &left, i] {
        item(i);
        left.count_down();
      });
    }
    left.wait();
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace speed
