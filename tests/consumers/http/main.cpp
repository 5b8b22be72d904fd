// SPDX-License-Identifier: MIT
#include <vector>
#include <xofn/publish/http.hpp>
#include <xofn/xofn.hpp>

int main() {
  xofn::BatchProcessor<int> processor{{.max_workers = 2}};
  auto batch = processor.start(std::vector{1, 2, 3}, [](int) {});
  xofn::ProgressServer server{{.port = 0}};
  server.watch("numbers", batch);
  return batch.wait().all_succeeded() && server.port() != 0 ? 0 : 1;
}
