// SPDX-License-Identifier: MIT
#pragma once

#include <mutex>
#include <string>

namespace properties {

/// The first thing that was wrong, from any thread; empty if nothing was.
class Complaint {
 public:
  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (text_.empty()) text_ = text;
  }

  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace properties
