// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <xofn/delivery/progress.hpp>

namespace xofn {

/// A snapshot of the batch that is called `name`, as a JSON object. Its members, in this order:
/// `name`, the counts `completed` (that is X), `total`, `succeeded`, `failed`, `cancelled`,
/// `running` and `retried`, `total_is_final`, `state` by its name, `elapsed_seconds` with a
/// fraction, and of a batch whose items are weighed `weight_completed` and `weight_total`.
///
///     progress_json("clips", batch.progress()).dump()
///
///     {"name":"clips","completed":3,"total":10,"succeeded":2,"failed":1, ...}
[[nodiscard]] inline nlohmann::ordered_json progress_json(std::string_view name,
                                                          const Progress& progress) {
  nlohmann::ordered_json json;
  json["name"] = name;
  json["completed"] = progress.completed();
  json["total"] = progress.total;
  json["succeeded"] = progress.succeeded;
  json["failed"] = progress.failed;
  json["cancelled"] = progress.cancelled;
  json["running"] = progress.running;
  json["retried"] = progress.retried;
  json["total_is_final"] = progress.total_is_final;
  json["state"] = to_string(progress.state);
  json["elapsed_seconds"] = std::chrono::duration<double>{progress.elapsed}.count();
  if (progress.weight_total != 0) {
    json["weight_completed"] = progress.weight_completed;
    json["weight_total"] = progress.weight_total;
  }
  return json;
}

}  // namespace xofn
