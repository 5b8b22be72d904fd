// SPDX-License-Identifier: MIT
// A page on which files of a folder are chosen, and a program is run for each: X/N live, with
// pause, resume, cancel, a log, and the failed ones once more.
#include <getopt.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "../interrupts.hpp"
#include "studio.hpp"

constexpr std::string_view usage =
    R"(Usage: batch_studio [OPTION]... FOLDER RESULTS [PROGRAM WORD...]
Serve a page on which images, films and sounds of FOLDER are chosen, to have PROGRAM run for each.
In its words {} stands for the file, and what it prints becomes a file in RESULTS. Without a
PROGRAM ffmpeg makes thumbnails, or where it is not installed, gzip compresses.

  -p, --port=N      listen there; 0, the default, stands for one that is free
  -w, --workers=N   run N programs at once; 0, the default, stands for the number of processors
  -t, --timeout=N   kill a program after N seconds; 600 by default
  -h, --help        print this

Who has the address that is printed may begin batches. Ctrl-C, or
SIGTERM, kills the programs, and ends it.
)";

template <class Number>
Number number(const char* text) {
  Number value{};
  const char* const end = text + std::strlen(text);
  const auto [stopped_at, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stopped_at != end) {
    throw std::invalid_argument("not a number that fits: " + std::string{text});
  }
  return value;
}

int main(int argc, char** argv) try {
  static constexpr option long_options[] = {{"port", required_argument, nullptr, 'p'},
                                            {"workers", required_argument, nullptr, 'w'},
                                            {"timeout", required_argument, nullptr, 't'},
                                            {"help", no_argument, nullptr, 'h'},
                                            {}};
  StudioOptions options;
  for (int c = 0; (c = getopt_long(argc, argv, "+p:w:t:h", long_options, nullptr)) != -1;) {
    if (c == 'p') {
      options.port = number<std::uint16_t>(optarg);
    } else if (c == 'w') {
      options.workers = number<unsigned>(optarg);
    } else if (c == 't') {
      options.timeout = std::chrono::seconds{number<std::uint32_t>(optarg)};
    } else {
      (c == 'h' ? std::cout : std::cerr) << usage;
      return c == 'h' ? 0 : 2;
    }
  }
  if (argc - optind < 2) throw std::invalid_argument("two folders are needed; see --help");
  options.folder = argv[optind];
  options.results = argv[optind + 1];
  options.job = {{argv + optind + 2, argv + argc}, ".out"};
  if (options.job.command.empty()) options.job = default_job();

  std::promise<void> interrupted;
  Interrupts interrupts;
  const Studio studio(options);
  interrupts.listen([&] { interrupted.set_value(); });
  std::cout << "see " << studio.server().url() << std::endl;
  interrupted.get_future().wait();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "batch_studio: " << error.what() << '\n';
  return 2;
}
