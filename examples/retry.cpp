// SPDX-License-Identifier: MIT
// Items that fail now and then are tried again, and none may take for ever. Prints what became of
// each, and how often it was begun.
#include <xofn/xofn.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

/// Stands for a download: the second server answers the third time only, the third never does.
std::string download(const std::string& url, xofn::TaskContext& context) {
  if (url.find("busy") != url.npos && context.attempt() < 3) throw std::runtime_error("busy");
  if (url.find("silent") != url.npos) {
    while (!context.stop_requested()) std::this_thread::sleep_for(1ms);
  }
  return "from " + url;
}

int main() {
  const std::vector<std::string> urls{"ftp://quick", "ftp://busy", "ftp://silent"};

  xofn::BatchProcessor<std::string> processor{
      {.max_workers = 4, .retry = {.max_attempts = 3, .backoff = 10ms}, .task_timeout = 100ms}};
  const xofn::BatchReport<std::string> report = processor.run(urls, download);
  for (std::uint64_t i = 0; i < urls.size(); ++i) {
    std::cout << urls[i] << (report.outcomes()[i].succeeded() ? " arrived" : " failed") << " after "
              << report.attempts(i) << " attempts\n";
  }
  for (const xofn::Failure& failure : report.failures()) std::cout << failure.what() << '\n';
  return report.progress().succeeded == 2 ? 0 : 1;
}
