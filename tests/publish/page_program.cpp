// SPDX-License-Identifier: MIT
// A program with a page, which does one step a line that it reads: what the tests of the page
// drive. It prints where the page is, and "done" after each step.
//
//     start NAME TOTAL    a batch of so many items, of which every fourth fails
//     go NAME COUNT       so many items of it may run, and have when this is done
//     free NAME           all the others may
//     drop NAME           its handle goes
//     forget NAME         the page shows it no more
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/publish/http.hpp>

namespace {

/// Items that run when they may, one after the other.
class SteppedBatch {
 public:
  explicit SteppedBatch(std::uint64_t total) : processor_(xofn::BatchOptions{.max_workers = 1}) {
    std::vector<std::uint64_t> items(total);
    std::iota(items.begin(), items.end(), 0);
    batch_ = processor_.start(std::move(items), [this](std::uint64_t item) { run(item); });
  }

  [[nodiscard]] const xofn::Batch<void>& batch() const { return *batch_; }

  void go(std::uint64_t count) {
    const auto target = batch_->progress().completed() + count;
    let(count);
    while (batch_->progress().completed() < target) std::this_thread::yield();
  }

  void let(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    permits_ += count;
    may_run_.notify_all();
  }

  void drop() {
    let(1'000'000);
    batch_.reset();
  }

 private:
  void run(std::uint64_t item) {
    {
      std::unique_lock lock(mutex_);
      may_run_.wait(lock, [&] { return permits_ != 0; });
      --permits_;
    }
    if (item % 4 == 3) {
      throw std::runtime_error("clip " + std::to_string(item) + ".mp4: <b>no such codec</b>");
    }
  }

  std::mutex mutex_;
  std::condition_variable may_run_;
  std::uint64_t permits_ = 0;
  xofn::BatchProcessor<std::uint64_t> processor_;
  std::optional<xofn::Batch<void>> batch_;
};

}  // namespace

/// page_program PORT [TOKEN]
int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 0);
  const std::string token = argc > 2 ? argv[2] : "";
  std::map<std::string, std::unique_ptr<SteppedBatch>> batches;
  {
    xofn::ProgressServer server{{.port = port, .controls = !token.empty(), .token = token}};
    std::cout << server.url() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string what;
      std::string name;
      std::uint64_t count = 0;
      words >> what >> name >> count;
      if (what == "start") {
        batches[name] = std::make_unique<SteppedBatch>(count);
        server.watch(name, batches[name]->batch());
      } else if (what == "go") {
        batches.at(name)->go(count);
      } else if (what == "free") {
        batches.at(name)->let(1'000'000);
      } else if (what == "drop") {
        batches.at(name)->drop();
      } else if (what == "forget") {
        server.forget(name);
      }
      std::cout << "done" << std::endl;
    }
  }
  for (auto& [name, batch] : batches) batch->drop();
}
