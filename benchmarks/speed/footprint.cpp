// SPDX-License-Identifier: MIT
// A program of its own, since operator new is replaced, and the memory is that of a process:
//   xofn_footprint allocations N    allocations an item of a batch of N
//   xofn_footprint memory N         by how many KiB a batch of N raises the peak of resident memory
#include <cstdint>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <xofn/batch_processor.hpp>
#include <xofn/delivery/progress.hpp>

#include "allocations.hpp"
#include "indices.hpp"
#include "load.hpp"

namespace {

using speed::Indices;
using xofn::BatchProcessor;
using xofn::Progress;

void nothing(std::uint64_t i) { speed::keep(i); }
std::uint64_t itself(std::uint64_t i) { return i; }
void look_at(const Progress& progress) { speed::keep(progress.completed()); }

/// Allocations of `run`, with the threads there already.
template <class Run>
std::uint64_t allocations_of(Run run) {
  run();
  const std::uint64_t before = speed::allocations();
  run();
  return speed::allocations() - before;
}

void print_allocations(std::uint64_t items) {
  BatchProcessor<std::uint64_t> processor;
  processor.on_progress(look_at);
  std::cout << "void " << allocations_of([&] { processor.run(Indices{items}, nothing); })
            << "\nvalue " << allocations_of([&] { processor.run(Indices{items}, itself); });
  processor.on_completion([](const auto& completion) { speed::keep(completion.index); });
  std::cout << "\ncompletion " << allocations_of([&] { processor.run(Indices{items}, nothing); })
            << '\n';
}

/// Of resident memory, in KiB: "VmRSS:" is what there is now, "VmHWM:" the peak.
std::uint64_t resident_memory(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t size = 0;
    if (word == which && status >> size) return size;
  }
  throw std::runtime_error("/proc/self/status does not say " + which);
}

void print_memory(std::uint64_t items) {
  const std::uint64_t before = resident_memory("VmRSS:");
  BatchProcessor<std::uint64_t> processor;
  processor.on_progress(look_at);
  processor.run(Indices{items}, nothing);
  std::cout << "peak " << resident_memory("VmHWM:") - before << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[1] : "";
  const std::uint64_t items = argc == 3 ? std::stoull(argv[2]) : 0;
  if (what == "allocations") {
    print_allocations(items);
  } else if (what == "memory") {
    print_memory(items);
  } else {
    std::cerr << "usage: xofn_footprint allocations|memory N\n";
    return 2;
  }
}
