// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>
#include <xofn/delivery/progress.hpp>
#include <xofn/sync.hpp>

#include "peers/async.hpp"
#if WITH_BOOST
#include "peers/asio_pool.hpp"
#endif
#if WITH_CONCURRENTQUEUE
#include "peers/concurrent_queue.hpp"
#endif
#if WITH_OPENMP
#include "peers/openmp.hpp"
#endif
#if WITH_TBB
#include "peers/tbb_parallel_for.hpp"
#include "peers/tbb_pipeline.hpp"
#include "peers/tbb_task_group.hpp"
#endif

namespace speed {

/// The libraries that xofn has not been compared with, by their names, since they are not there.
[[nodiscard]] inline std::vector<std::string> missing_peers() {
  std::vector<std::string> missing;
#if !WITH_TBB
  missing.emplace_back("oneTBB");
#endif
#if !WITH_OPENMP
  missing.emplace_back("OpenMP");
#endif
#if !WITH_BOOST
  missing.emplace_back("Boost.Asio");
#endif
#if !WITH_CONCURRENTQUEUE
  missing.emplace_back("moodycamel's concurrentqueue");
#endif
  return missing;
}

/// Something else that runs `item(0)` to `item(count - 1)` on so many threads.
template <class P>
concept Peer = requires(P peer, std::size_t count, void (&item)(std::size_t)) {
  P::name;
  P(1U);
  peer.run(count, item);
};

/// Something else that also calls `told(i)` for each, one at a time.
template <class P>
concept TellingPeer = requires(P peer, std::size_t count, void (&call)(std::size_t)) {
  P::name;
  P(1U);
  peer.run_and_tell(count, call, call);
};

template <class... P>
struct PeerList {
  /// Calls `f.operator()<P>()` for each.
  template <class F>
  static void for_each(F f) {
    (f.template operator()<P>(), ...);
  }
};

using Peers = PeerList<
#if WITH_TBB
    TbbParallelFor, TbbTaskGroup, TbbPipeline,
#endif
#if WITH_OPENMP
    OpenMp<1>, OpenMp<64>,
#endif
#if WITH_BOOST
    AsioPool,
#endif
#if WITH_CONCURRENTQUEUE
    ConcurrentQueue,
#endif
    Async>;

/// Whether the peer would run so many items.
template <class P>
[[nodiscard]] constexpr bool would_run(std::size_t count) noexcept {
  if constexpr (requires { P::most_items; }) {
    return count <= P::most_items;
  } else {
    return true;
  }
}

/// Has `peer` run the items and call `tell(i, progress)` for each, rightly: in its serial stage, or
/// else counted and called under one mutex.
template <class P, class Item, class Tell>
void run_and_tell(P& peer, std::size_t count, const Item& item, const Tell& tell) {
  xofn::Progress progress{.total = count};
  const auto count_and_tell = [&](std::size_t i) {
    ++progress.succeeded;
    tell(i, std::as_const(progress));
  };
  if constexpr (TellingPeer<P>) {
    peer.run_and_tell(count, item, count_and_tell);
  } else {
    std::mutex mutex;
    peer.run(count, [&](std::size_t i) {
      item(i);
      const std::lock_guard guard(mutex);
      count_and_tell(i);
    });
  }
}

/// Calls `add(name, peer)` for each peer that would run so many items.
template <class Add>
void for_each_peer(std::size_t count, Add add) {
  Peers::for_each([&]<class P>() {
    static_assert(Peer<P> || TellingPeer<P>);
    if (would_run<P>(count)) {
      add(std::string(P::name), std::make_shared<P>(xofn::StdSync::hardware_threads()));
    }
  });
}

}  // namespace speed
