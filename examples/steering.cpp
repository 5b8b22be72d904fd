// SPDX-License-Identifier: MIT
// A batch that is steered while it runs: paused, gone on with, and stopped by its third failure.
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

namespace {

/// Stands for an hour of work, which looks up now and then.
void render(int frame, xofn::TaskContext& context) {
  for (int step = 0; step < 4; ++step) {
    if (context.stop_requested()) throw xofn::TaskCancelled{};  // neither a result nor a failure
    std::this_thread::sleep_for(1ms);
  }
  if (frame % 10 == 9) throw std::runtime_error("frame " + std::to_string(frame) + " is broken");
}

}  // namespace

int main() {
  std::vector<int> frames;
  for (int frame = 0; frame < 100; ++frame) frames.push_back(frame);

  xofn::BatchProcessor<int> processor{
      {.max_workers = 2, .on_error = xofn::ErrorPolicy::stop_after(3), .name = "frames"}};
  processor.on_progress(
      [](const xofn::Progress& p) { std::cout << p << ' ' << to_string(p.state) << '\n'; },
      xofn::Delivery::latest(20ms).at_least_every(1s).on_caller());  // on this thread

  auto batch = processor.start(std::move(frames), render);
  batch.wait_for(30ms);  // tells meanwhile, as pump() does without waiting
  batch.pause();         // no frame starts until it is resumed; running ones end
  batch.wait_for(30ms);
  batch.resume();
  const auto report = batch.wait();  // cancel() would end it sooner

  std::cout << batch.name() << ": " << report.progress() << ", stopped by "
            << to_string(report.stop_reason()) << '\n';
  for (const xofn::Failure& failure : report.failures()) std::cout << failure.what() << '\n';
  return report.stop_reason() == xofn::StopReason::errors ? 0 : 1;
}
