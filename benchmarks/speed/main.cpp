// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../machine.hpp"
#include "peers.hpp"
#include "sections.hpp"

namespace {

constexpr const char* usage = R"(usage: xofn_speed [OPTION...] [P1...P14]

Measures what is promised of xofn's speed, or these promises alone: ratios, taken in one run.

  --check        exit with 1 if a bound is missed, with 2 if there is a peer missing
  --quick        see whether it runs; nothing is judged
  --rounds N     repetitions, 11 unless given; 7 at least
  --json FILE    write the results
  --lines DIR    write what pictures.gnuplot draws
)";

struct Section {
  std::vector<std::string> promises;
  void (*measure)(const speed::Effort&, speed::Results&);

  [[nodiscard]] bool has_one_of(const std::vector<std::string>& wanted) const {
    return std::find_first_of(wanted.begin(), wanted.end(), promises.begin(), promises.end()) !=
           wanted.end();
  }
};

const Section sections[] = {
    {{"P1"}, speed::tell_empty_items},
    {{"P2", "P3"}, speed::tell_against_peers},
    {{"P4"}, speed::run_against_peers},
    {{"P5", "P6"}, speed::tell_slow_callbacks},
    {{"P7", "P8"}, speed::count},
    {{"P9", "P10"}, speed::take_memory},
    {{"P11"}, speed::start_and_end},
    {{"P12"}, speed::compile},
    {{"P13"}, speed::grow},
    {{"P14"}, speed::take_no_hostage},
};

struct Options {
  bool check = false;
  bool quick = false;
  std::size_t rounds = 11;
  std::string json;
  std::string lines;
  std::vector<std::string> promises;  // all if empty
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
    const auto value = [&] {
      if (argument + 1 == arguments.end())
        throw std::invalid_argument(*argument + " wants a value");
      return *++argument;
    };
    if (*argument == "--check") {
      options.check = true;
    } else if (*argument == "--quick") {
      options.quick = true;
    } else if (*argument == "--rounds") {
      options.rounds = std::stoul(value());
    } else if (*argument == "--json") {
      options.json = value();
    } else if (*argument == "--lines") {
      options.lines = value();
    } else if (argument->starts_with('-')) {
      throw std::invalid_argument("no option " + *argument);
    } else if (std::none_of(std::begin(sections), std::end(sections),
                            [&](const Section& s) { return s.has_one_of({*argument}); })) {
      throw std::invalid_argument("no promise " + *argument);
    } else {
      options.promises.push_back(*argument);
    }
  }
  if (options.check && !options.quick) {
    if (const auto missing = speed::missing_peers(); !missing.empty()) {
      throw std::invalid_argument("nothing is judged without " + missing.front() +
                                  ", which was not found");
    }
  }
  if (options.rounds < 7) throw std::invalid_argument("fewer than 7 rounds tell nothing");
  return options;
}

std::ofstream open(const std::filesystem::path& path) {
  std::ofstream file(path);
  if (!file) throw std::runtime_error("cannot write " + path.string());
  return file;
}

int measure(const Options& options) {
  const speed::Effort effort = options.quick
                                   ? speed::Effort{.rounds = 1, .divide_by = 50}
                                   : speed::Effort{.rounds = options.rounds, .divide_by = 1};
  speed::Results results(std::cout, !options.quick);
  for (const Section& section : sections) {
    if (options.promises.empty() || section.has_one_of(options.promises)) {
      section.measure(effort, results);
    }
  }
  if (!options.json.empty()) {
    std::ofstream file = open(options.json);
    results.write_json(file);
  }
  if (!options.lines.empty()) {
    const std::filesystem::path directory(options.lines);
    open(directory / "machine") << machine() << '\n';
    for (const char* picture : {"nobody told", "every step told", "increments"}) {
      if (!results.has_picture(picture)) continue;  // one of another run may be there
      std::ofstream file = open(directory / (picture + std::string(".dat")));
      results.write_picture(file, picture);
    }
  }
  return options.check && !options.quick && results.any_missed() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return measure(parse({argv + 1, argv + argc}));
  } catch (const std::invalid_argument& error) {
    std::cerr << "xofn_speed: " << error.what() << "\n\n" << usage;
    return 2;
  }
}
