// SPDX-License-Identifier: MIT
// Not API: where those who watch find what is new.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/batch/batch_view.hpp>
#include <xofn/publish/watched_batch.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// What a reader has not seen yet. A version is a number that grows with each change.
struct News {
  std::uint64_t version = 0;
  bool has_other_names = false;    ///< batches have come, or gone
  std::vector<std::string> names;  ///< all of them, as they were added
  std::vector<Published> states;   ///< of the batches that have changed
  bool is_last = false;            ///< nothing will change any more
};

/// Batches by name, and the newest state of each. A thread looks at them at most 20 times a second,
/// and at none that has ended. Readers come when they can, and then find the newest: however slow
/// one is, nobody waits for it. Any thread may call anything but the destructor.
template <class Sync = StdSync>
class NewsBoard {
 public:
  using time_point = typename Sync::clock::time_point;
  static constexpr std::chrono::milliseconds interval{50};

  /// Throws std::system_error if there is no thread to be had.
  NewsBoard() : thread_([this] { publish(); }) {}
  NewsBoard(const NewsBoard&) = delete;
  NewsBoard& operator=(const NewsBoard&) = delete;
  ~NewsBoard() { close(); }

  /// From now on a batch is seen under this name. Throws std::invalid_argument if one is that has
  /// not ended.
  void add(const std::string& name, BasicBatchView<Sync> view) {
    auto batch = std::make_shared<Entry>(name, next_id_.fetch_add(1), std::move(view));
    batch->state = batch->batch.look();
    std::shared_ptr<Entry> gone;  // when the lock is, since it may be the last to know an exception
    const typename Sync::lock guard(mutex_);
    const auto same = find(name);
    if (same != entries_.end()) {
      if (!(*same)->batch.view().ended()) {
        throw std::invalid_argument("xofn: ProgressServer: a batch is watched as '" + name +
                                    "', and runs");
      }
      gone = *same;
      entries_.erase(same);
    }
    batch->version = names_version_ = ++version_;
    entries_.push_back(std::move(batch));
    changed_.notify_all();
  }

  /// Returns whether there was such a batch.
  bool remove(const std::string& name) {
    std::shared_ptr<Entry> gone;
    const typename Sync::lock guard(mutex_);
    const auto entry = find(name);
    if (entry == entries_.end()) return false;
    gone = *entry;
    entries_.erase(entry);
    names_version_ = ++version_;
    changed_.notify_all();
    return true;
  }

  [[nodiscard]] std::optional<BasicBatchView<Sync>> view(const std::string& name) const {
    const typename Sync::lock guard(mutex_);
    const auto entry = find(name);
    if (entry == entries_.end()) return std::nullopt;
    return (*entry)->batch.view();
  }

  /// What a reader who has seen version `seen`, or 0, has not, once there is something; at `until`
  /// perhaps nothing.
  [[nodiscard]] News news(std::uint64_t seen, time_point until = {}) const {
    typename Sync::lock guard(mutex_);
    while (version_ <= seen && !is_closed_ && Sync::clock::now() < until) {
      changed_.wait_until(guard, until);
    }
    News news;
    news.version = version_;
    news.has_other_names = names_version_ > seen || seen == 0;
    news.is_last = is_closed_;
    for (const auto& entry : entries_) {
      news.names.push_back(entry->name);
      if (entry->version > seen) news.states.push_back(entry->state);
    }
    return news;
  }

  /// The state of one batch alone; null if there is none. `version` becomes that of the state.
  [[nodiscard]] Published state(const std::string& name, std::uint64_t& version) const {
    const typename Sync::lock guard(mutex_);
    const auto entry = find(name);
    if (entry == entries_.end()) return nullptr;
    version = (*entry)->version;
    return (*entry)->state;
  }

  /// Looks once more, and no more.
  void close() {
    {
      const typename Sync::lock guard(mutex_);
      must_close_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

 private:
  struct Entry {
    Entry(const std::string& n, std::uint64_t id, BasicBatchView<Sync> view)
        : name(n), batch(n, id, std::move(view)) {}
    const std::string name;
    WatchedBatch<Sync> batch;  // but for view(), of the thread that looks
    Published state;
    std::uint64_t version = 0;
    bool is_settled = false;
  };
  using Entries = std::vector<std::shared_ptr<Entry>>;

  [[nodiscard]] auto find(const std::string& name) const {
    return std::find_if(entries_.begin(), entries_.end(),
                        [&](const auto& entry) { return entry->name == name; });
  }

  void publish() {
    Sync::name_thread("xofn publish");
    for (bool is_last = false; !is_last;) {
      Entries running;
      {
        typename Sync::lock guard(mutex_);
        while (!must_close_ && (running = still_running()).empty()) changed_.wait(guard);
        is_last = must_close_;
        if (is_last) running = still_running();
      }
      for (const auto& entry : running) look_at(*entry);
      typename Sync::lock guard(mutex_);
      is_closed_ = is_last;
      if (is_last) changed_.notify_all();
      const auto until = Sync::clock::now() + interval;
      while (!must_close_ && Sync::clock::now() < until) changed_.wait_until(guard, until);
    }
  }

  [[nodiscard]] Entries still_running() const {
    Entries running;
    for (const auto& entry : entries_) {
      if (!entry->is_settled) running.push_back(entry);
    }
    return running;
  }

  void look_at(Entry& entry) {
    Published state;
    try {
      state = entry.batch.look();
    } catch (const std::bad_alloc&) {
      return;  // until the next time
    }
    const typename Sync::lock guard(mutex_);
    entry.is_settled = entry.batch.has_ended();
    if (state == nullptr) return;
    entry.state = std::move(state);
    entry.version = ++version_;
    changed_.notify_all();
  }

  mutable typename Sync::mutex mutex_;
  mutable typename Sync::condition_variable changed_;
  typename Sync::template atomic<std::uint64_t> next_id_{1};
  Entries entries_;
  std::uint64_t version_ = 0;
  std::uint64_t names_version_ = 0;
  bool must_close_ = false;
  bool is_closed_ = false;
  typename Sync::thread thread_;  // last: it ends first
};

}  // namespace xofn::detail
