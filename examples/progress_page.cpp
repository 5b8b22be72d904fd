// SPDX-License-Identifier: MIT
// Two batches on a page, with buttons: progress_page [PORT]. It ends when they have.
#include <chrono>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/publish/http.hpp>
#include <xofn/xofn.hpp>

using namespace std::chrono_literals;

namespace {

/// Stands for a minute of work.
void render(const std::string& video) {
  std::this_thread::sleep_for(20ms);
  if (video == "video 7.mp4") throw std::runtime_error(video + ": no such codec");
}

void upload(const std::uint64_t& size) { std::this_thread::sleep_for(size * 1ns); }

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> videos;
  std::vector<std::uint64_t> sizes;
  for (int i = 1; i <= 40; ++i) {
    videos.push_back("video " + std::to_string(i) + ".mp4");
    sizes.push_back(1'000'000ULL * static_cast<unsigned>(i));
  }
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 0);  // 0: a free one

  xofn::BatchProcessor<std::string> renderer{{.max_workers = 2}};
  xofn::BatchProcessor<std::uint64_t> uploader{{.max_workers = 2}};
  uploader.weigh_by([](const std::uint64_t& size) { return size; });

  xofn::Batch<void> clips = renderer.start(std::move(videos), render);
  xofn::Batch<void> uploads = uploader.start(std::move(sizes), upload);

  xofn::ProgressServer server{{.port = port, .controls = true}};
  server.watch("clips", clips);
  std::cout << "see " << server.url() << std::endl;
  server.watch("uploads", uploads);

  const bool as_expected = clips.wait().progress().failed <= 1;
  uploads.wait();
  return as_expected ? 0 : 1;
}
