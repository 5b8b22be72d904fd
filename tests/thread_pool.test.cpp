// SPDX-License-Identifier: MIT
#include <xofn/batch/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <xofn/batch/executor.hpp>

#include "support/executors.hpp"
#include "support/gate.hpp"

using Catch::Matchers::ContainsSubstring;
using support::Rendezvous;
using support::rounds;
using xofn::ThreadPool;

TEST_CASE("ThreadPool: everything that it is given runs once, at the latest when it is destroyed") {
  const unsigned threads = GENERATE(1u, 2u, 3u, 8u);
  constexpr std::size_t jobs = 1000;
  std::vector<int> runs(jobs);  // plain: the destructor must order them before the check
  {
    ThreadPool pool{threads};
    for (int& run : runs) pool.execute([&run] { ++run; });
  }
  CHECK(std::count(runs.begin(), runs.end(), 1) == jobs);
}

TEST_CASE(
    "ThreadPool: it has as many threads as it was asked for, and they work at the same time") {
  const unsigned threads = GENERATE(1u, 2u, 5u, 16u);
  Rendezvous all(threads);
  {
    ThreadPool pool{threads};
    CHECK(pool.size() == threads);
    for (unsigned i = 0; i < threads; ++i) pool.execute([&] { all.arrive(); });
  }
  CHECK_FALSE(all.expired());
}

TEST_CASE("ThreadPool: no number means the hardware's") {
  CHECK(ThreadPool{}.size() == std::max(1u, std::thread::hardware_concurrency()));
  CHECK(ThreadPool{0}.size() == std::max(1u, std::thread::hardware_concurrency()));
}

TEST_CASE("ThreadPool: an absurd number is refused with its value") {
  CHECK_THROWS_AS(ThreadPool{65537}, std::invalid_argument);
  CHECK_THROWS_WITH(ThreadPool{65537}, ContainsSubstring("65537"));
  CHECK_THROWS_AS(ThreadPool{~0u}, std::invalid_argument);
}

TEST_CASE("ThreadPool: it knows its own threads and no others") {
  Rendezvous done(2);
  ThreadPool pool{2};
  ThreadPool other{1};
  std::atomic<bool> own{false};
  std::atomic<bool> foreign{true};
  CHECK_FALSE(pool.running_in_this_thread());
  pool.execute([&] {
    own.store(pool.running_in_this_thread());
    foreign.store(other.running_in_this_thread());
    done.arrive();
  });
  CHECK(done.arrive());
  CHECK(own.load());
  CHECK_FALSE(foreign.load());
}

TEST_CASE("ThreadPool: a job may be move-only, and is destroyed once it has run") {
  const auto alive = std::make_shared<int>(0);
  {
    ThreadPool pool{1};
    pool.execute([owned = std::make_unique<std::shared_ptr<int>>(alive)] { ++**owned; });
  }
  CHECK(*alive == 1);
  CHECK(alive.use_count() == 1);
}

TEST_CASE("ThreadPool: a job may give the pool more to do") {
  std::atomic<int> runs{0};
  Rendezvous done(2);
  {
    ThreadPool pool{1};
    pool.execute([&] {
      for (int i = 0; i < 100; ++i) pool.execute([&] { runs.fetch_add(1); });
      pool.execute([&] { done.arrive(); });
    });
    CHECK(done.arrive());
  }
  CHECK(runs.load() == 100);
}

TEST_CASE("ThreadPool: threads that are not its own may feed it at the same time") {
  std::atomic<int> runs{0};
  {
    ThreadPool pool{3};
    support::in_parallel(4, [&](int) {
      for (int i = 0; i < 500; ++i) pool.execute([&] { runs.fetch_add(1); });
    });
  }
  CHECK(runs.load() == 2000);
}

TEST_CASE("ThreadPool: what was done before execute is visible to the job") {
  std::vector<int> data(static_cast<std::size_t>(rounds(2000)));
  std::atomic<int> missed{0};
  {
    ThreadPool pool{2};
    for (int& item : data) {
      item = 7;
      pool.execute([&] { missed.fetch_add(item == 7 ? 0 : 1, std::memory_order_relaxed); });
    }
  }
  CHECK(missed.load() == 0);
}

TEST_CASE("ThreadPool: it may be destroyed at once, having been given work or none") {
  std::atomic<int> runs{0};
  for (int round = 0; round < rounds(500); ++round) {
    ThreadPool pool{2};
    if (round % 2 == 0) pool.execute([&] { runs.fetch_add(1); });
  }
  CHECK(runs.load() == (rounds(500) + 1) / 2);
}

TEST_CASE("ThreadPool: an idle pool sleeps until there is work again") {
  std::atomic<int> runs{0};
  ThreadPool pool{2};
  for (int round = 0; round < rounds(1000); ++round) {
    pool.execute([&] { runs.fetch_add(1); });
    REQUIRE(support::eventually([&] { return runs.load() == round + 1; }));
  }
}

namespace {

/// A system that has two threads to give.
struct TwoThreadsSync : xofn::StdSync {
  static inline std::atomic<int> left{2};
  struct thread : xofn::StdSync::thread {
    thread() noexcept = default;
    template <class F>
    explicit thread(F f) : xofn::StdSync::thread(check(std::move(f))) {}

   private:
    template <class F>
    static F check(F f) {
      if (left.fetch_sub(1) > 0) return f;
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
  };
};

}  // namespace

TEST_CASE("ThreadPool: if not all threads are to be had, those that were are ended") {
  CHECK_THROWS_AS(xofn::BasicThreadPool<TwoThreadsSync>(3), std::system_error);
}

TEST_CASE("Executor: a pool is one, and so is whatever can execute a function") {
  STATIC_REQUIRE(xofn::Executor<ThreadPool>);
  STATIC_REQUIRE(xofn::Executor<support::InlineExecutor>);
  STATIC_REQUIRE(xofn::Executor<support::ThreadPerCall>);
  STATIC_REQUIRE_FALSE(xofn::Executor<int>);
  STATIC_REQUIRE_FALSE(xofn::Executor<std::vector<int>>);
  STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<ThreadPool>);
}

TEST_CASE("ThreadPool: what waits is withdrawn in the name of its owner, and the rest is run") {
  struct Owned {
    [[nodiscard]] const void* owner() const noexcept { return owner_; }
    void operator()() { ++*calls; }
    const void* owner_;
    int* calls;
  };
  int first = 0;
  int second = 0;
  int nobodys = 0;
  support::Gate gate;
  {
    ThreadPool pool{1};
    pool.execute([&] { gate.wait(); });
    for (int i = 0; i < 3; ++i) {
      pool.execute(Owned{&first, &first});
      pool.execute([&] { ++nobodys; });
      pool.execute(Owned{&second, &second});
    }
    pool.withdraw(&first);
    gate.open();
  }
  CHECK(first == 0);
  CHECK(second == 3);
  CHECK(nobodys == 3);
}

TEST_CASE("ThreadPool: a function may have members of its own, whatever they are called") {
  struct Owned {
    std::atomic<int>& calls;
    [[nodiscard]] std::string owner() const { return "somebody"; }
    void operator()() { ++calls; }
  };
  std::atomic<int> calls{0};
  { ThreadPool(2).execute(Owned{calls}); }
  CHECK(calls == 1);
}
