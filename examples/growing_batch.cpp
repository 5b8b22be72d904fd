// SPDX-License-Identifier: MIT
// A batch that grows while it runs: each page that is fetched adds those that it links to. Progress
// is shown in pages and in bytes.
#include <cstdint>
#include <iostream>
#include <string>
#include <xofn/xofn.hpp>

namespace {

struct Page {
  std::string name;
  std::uint64_t bytes;
  int links;
};

}  // namespace

int main() {
  xofn::OpenBatch<Page, void>* site = nullptr;
  xofn::BatchProcessor<Page> processor{{.max_workers = 4, .max_queued = 100}};
  processor.weigh_by([](const Page& page) { return page.bytes; });
  processor.on_progress([&](const xofn::Progress& p) {
    std::cout << p << (p.total_is_final ? " pages, " : "+ pages, ") << p.weight_completed << " of "
              << p.weight_total << " bytes\n";
    // A page adds what it links to before it settles: when all have settled, nothing more comes.
    if (p.completed() == p.total) site->close();
  });

  auto batch = processor.open([&](Page& page, xofn::TaskContext& context) {
    for (std::uint64_t read = 0; read < page.bytes; read += 100) context.advance(100);
    for (int i = 0; i < page.links; ++i) {
      site->add({page.name + '/' + std::to_string(i), 500, page.links - 1});
    }
  });
  site = &batch;
  batch.add({"index", 1000, 3});
  const auto report = batch.wait();
  return report.progress().total == 16 && report.progress().weight_completed == 8500 ? 0 : 1;
}
