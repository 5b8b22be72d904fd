// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <thread>

#include <xofn/batch_processor.hpp>

#include "oracle.hpp"
#include "outcomes.hpp"
#include "ranges.hpp"
#include "recorder.hpp"

namespace support {

/// One batch of a hundred items on an executor, with a callback of every kind and what is wrong
/// with what came of it.
struct Trial {
  Runs runs{100};
  Recorder every;
  Recorder latest;
  Recorder caller;

  void watch(xofn::BatchProcessor<int>& processor) {
    processor.on_progress(every.callback())
        .on_progress(latest.callback(), xofn::Delivery::latest(std::chrono::milliseconds{1}))
        .on_progress(caller.callback(), xofn::Delivery::every().on_caller());
  }

  auto handler() {
    return [this](int i) {
      const auto running = runs.run(i);
      if (i % 7 == 0) fail(i);
      return i;
    };
  }

  std::string wrong(const xofn::BatchReport<int>& report) {
    const xofn::Progress last = report.progress();
    if (last.total != 100) return describe(last);
    for (std::string text :
         {wrong_report(report, runs), wrong_every(every, last),
          wrong_latest(latest, last, std::chrono::milliseconds{1}), wrong_every(caller, last)}) {
      if (!text.empty()) return text;
    }
    if (!caller.only_on(std::this_thread::get_id())) return "on_caller was told elsewhere";
    return {};
  }

  std::string wrong_run(auto& executor, unsigned workers) {
    xofn::BatchProcessor<int> processor{executor, {.max_workers = workers}};
    watch(processor);
    return wrong(processor.run(numbers(100), handler()));
  }

  std::string wrong_start(auto& executor, unsigned workers) {
    xofn::BatchProcessor<int> processor{executor, {.max_workers = workers}};
    watch(processor);
    return wrong(processor.start(numbers(100), handler()).wait());
  }
};

}  // namespace support
