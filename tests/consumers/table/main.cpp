// SPDX-License-Identifier: MIT
#include <string>
#include <vector>
#include <xofn/publish/status_table.hpp>
#include <xofn/xofn.hpp>

int main() {
  const xofn::StatusTable table{
      {.database = "sqlite3://none/clips.db", .name = "clips", .linger = {}}};
  xofn::BatchProcessor<int> processor;
  watch(processor, table, [](int n) { return std::to_string(n); });
  return processor.run(std::vector{1, 2, 3}, [](int) {}).all_succeeded() ? 0 : 1;
}
