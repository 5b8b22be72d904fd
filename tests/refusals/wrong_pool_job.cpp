// SPDX-License-Identifier: MIT
// refused: ThreadPool::execute: the function is not callable without arguments
#include <xofn/batch/thread_pool.hpp>

void execute(xofn::ThreadPool& pool) {
  pool.execute([](int) {});
}
