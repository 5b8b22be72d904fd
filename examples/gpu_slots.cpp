// SPDX-License-Identifier: MIT
// Limits by resource: two or three jobs a card at once, and never more memory than there is.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <xofn/xofn.hpp>

namespace {

struct Model {
  std::string name;
  std::uint64_t bytes;
};

std::atomic<std::uint64_t> loaded{0};
std::atomic<bool> too_much{false};

/// Stands for inference on a card.
void infer(const Model& model, std::string_view card) {
  if (card.empty() || loaded.fetch_add(model.bytes) + model.bytes > 24ULL << 30) too_much = true;
  std::this_thread::sleep_for(std::chrono::milliseconds{5});
  loaded.fetch_sub(model.bytes);
}

}  // namespace

int main() {
  const std::vector<Model> models{{"small", 2ULL << 30},  {"medium", 8ULL << 30},
                                  {"large", 20ULL << 30}, {"small", 2ULL << 30},
                                  {"huge", 80ULL << 30},  {"medium", 8ULL << 30}};

  xofn::ResourceSlots gpus{{"cuda:0", 2}, {"cuda:1", 3}};
  xofn::MemoryBudget vram{24ULL << 30};
  xofn::BatchProcessor<Model> processor{{.max_workers = 8, .slots = &gpus, .memory = &vram}};
  processor.memory_by([](const Model& model) { return model.bytes; });
  const auto report = processor.run(
      models, [](const Model& model, xofn::TaskContext& context) { infer(model, context.slot()); });

  for (const xofn::Failure& f : report.failures()) {
    std::cout << models[f.index].name << ": " << f.what() << '\n';
  }
  return report.progress().succeeded == 5 && report.failures().size() == 1 && !too_much ? 0 : 1;
}
