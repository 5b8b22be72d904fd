// SPDX-License-Identifier: MIT
// SHA-256 of every regular file under the directories given, in parallel: X/N on stderr while it
// runs, then the sums on stdout, as sha256sum prints them.
#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/console/progress_bar.hpp>
#include <xofn/progress_tracker.hpp>

#include "interrupts.hpp"
#include "sha256_files.hpp"

constexpr std::string_view usage = R"(Usage: sha256_tree [OPTION]... PATH...
Print the SHA-256 of each file given and of each regular file under the directories given, sorted
by name, as sha256sum does. Symbolic links are followed where they are given, and nowhere else.

  -w, --workers=N   hash N files at a time; 0, the default, stands for the number of processors
  -b, --by-bytes    show the progress by bytes, not by files
  -h, --help        print this

Ctrl-C leaves out the files that have not been begun; a second one ends the program at once.
Exit status: 0: all is well; 1: not all could be read; 2: it could not begin; 130: Ctrl-C.
)";

/// Hashes a file, and settles as many bytes as were announced, whatever it has become since.
std::string hash(const File& file, xofn::ProgressTracker& bytes) {
  std::uint64_t left = file.size;
  const auto on_read = [&](std::uint64_t size) {
    bytes.succeed(std::min(size, left));
    left -= std::min(size, left);
  };
  try {
    std::string line = sha256_line(file, on_read);
    bytes.succeed(left);
    return line;
  } catch (...) {
    bytes.fail(left);
    throw;
  }
}

int hash_all(std::vector<File> files, unsigned workers, bool by_bytes) {
  Interrupts interrupts;
  std::uint64_t size = 0;
  for (const File& file : files) size += file.size;
  xofn::ProgressTracker bytes{size};
  xofn::BatchProcessor<File> processor{{.max_workers = workers}};
  if (by_bytes) {
    bytes.on_progress(xofn::ProgressBar{std::cerr, "hashing", {.unit = xofn::BarUnit::bytes}},
                      xofn::Delivery::latest());
  } else {
    processor.on_progress(xofn::ProgressBar{std::cerr, "hashing"}, xofn::Delivery::latest());
  }

  auto batch =
      processor.start(std::move(files), [&](const File& file) { return hash(file, bytes); });
  interrupts.listen([&] { batch.cancel(); });
  const xofn::BatchReport<std::string> report = batch.wait();
  const bool is_interrupted = interrupts.end();
  bytes.cancel_rest();
  bytes.wait();

  for (const std::string& line : report.values()) std::cout << line << '\n';
  for (const xofn::Failure& failure : report.failures()) {
    std::cerr << "sha256_tree: " << failure.what() << '\n';
  }
  const xofn::Progress& progress = report.progress();
  if (progress.failed > 0) std::cerr << "sha256_tree: " << progress.failed << " failed\n";
  if (is_interrupted) std::cerr << "sha256_tree: cancelled at " << progress << '\n';
  if (!std::cout.flush()) std::cerr << "sha256_tree: the sums cannot be written\n";
  return is_interrupted ? 130 : report.all_succeeded() && std::cout ? 0 : 1;
}

int main(int argc, char** argv) try {
  static constexpr option options[] = {{"workers", required_argument, nullptr, 'w'},
                                       {"by-bytes", no_argument, nullptr, 'b'},
                                       {"help", no_argument, nullptr, 'h'},
                                       {}};
  unsigned workers = 0;
  bool by_bytes = false;
  for (int c = 0; (c = getopt_long(argc, argv, "w:bh", options, nullptr)) != -1;) {
    if (c == 'w') {
      const char* const end = optarg + std::strlen(optarg);
      const auto [stopped_at, error] = std::from_chars(optarg, end, workers);
      if (error != std::errc{} || stopped_at != end) {
        throw std::invalid_argument("not a number of workers: " + std::string{optarg});
      }
    } else if (c == 'b') {
      by_bytes = true;
    } else {
      (c == 'h' ? std::cout : std::cerr) << usage;
      return c == 'h' ? 0 : 2;
    }
  }
  if (optind == argc) throw std::invalid_argument("no path is given; see --help");
  return hash_all(find_files(argv + optind), workers, by_bytes);
} catch (const std::exception& error) {
  std::cerr << "sha256_tree: " << error.what() << '\n';
  return 2;
}
