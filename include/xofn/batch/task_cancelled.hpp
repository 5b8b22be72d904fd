// SPDX-License-Identifier: MIT
#pragma once

#include <exception>

namespace xofn {

/// What a running item throws to be settled as cancelled rather than failed, for example once
/// `TaskContext::stop_requested()` is true: it does not count in X.
class TaskCancelled : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override {
    return "xofn: the task was cancelled";
  }
};

}  // namespace xofn
