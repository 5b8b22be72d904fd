// SPDX-License-Identifier: MIT
// Not API: which items of a batch are running, by name.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// Any thread may call anything.
template <class Sync = StdSync>
class RunningItems {
 public:
  /// An attempt at an item begins; a later one begins anew.
  void begin(std::uint64_t index, std::string name) {
    const typename Sync::lock guard(mutex_);
    items_[index] = {next_++, std::move(name)};
  }

  void end(std::uint64_t index) {
    const typename Sync::lock guard(mutex_);
    items_.erase(index);
  }

  void clear() {
    const typename Sync::lock guard(mutex_);
    items_.clear();
  }

  /// The name of the one that began first; empty if there is none.
  [[nodiscard]] std::string longest() const {
    const typename Sync::lock guard(mutex_);
    const auto first = std::min_element(
        items_.begin(), items_.end(),
        [](const auto& a, const auto& b) { return a.second.begun < b.second.begun; });
    return first == items_.end() ? std::string{} : first->second.name;
  }

 private:
  struct Item {
    std::uint64_t begun = 0;  ///< how many had begun before
    std::string name;
  };

  mutable typename Sync::mutex mutex_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Item> items_;  ///< by index
};

}  // namespace xofn::detail
