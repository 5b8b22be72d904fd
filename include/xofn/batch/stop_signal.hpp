// SPDX-License-Identifier: MIT
// Not API: how a batch tells its running items that it was cancelled.
#pragma once

#include <version>
#include <xofn/batch/claiming.hpp>
#include <xofn/batch/task_context.hpp>
#include <xofn/sync.hpp>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif

namespace xofn::detail {

/// Stop is requested as soon as the claims have stopped; tokens, which call the user's callbacks,
/// learn it by `signal`.
template <class Sync = StdSync>
class BatchStopSignal final : public StopSignal {
 public:
  explicit BatchStopSignal(const Claims<Sync>& claims) noexcept : claims_(claims) {}

  [[nodiscard]] bool stop_requested() const noexcept override { return claims_.stopped(); }

#ifdef __cpp_lib_jthread
  [[nodiscard]] std::stop_token stop_token() const override { return source_.get_token(); }
  void signal() { source_.request_stop(); }
#else
  void signal() {}
#endif

 private:
  const Claims<Sync>& claims_;
#ifdef __cpp_lib_jthread
  std::stop_source source_;
#endif
};

}  // namespace xofn::detail
