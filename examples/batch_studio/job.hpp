// SPDX-License-Identifier: MIT
// What is done with a file.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

/// A program that is run for each file, "{}" in its words standing for that, and prints the result.
struct Job {
  std::vector<std::string> command;
  std::string suffix;  ///< of the results' names

  [[nodiscard]] std::string name() const {
    return std::filesystem::path(command.at(0)).filename().string();
  }

  [[nodiscard]] std::vector<std::string> command_for(const std::filesystem::path& file) const {
    std::vector<std::string> words = command;
    for (std::string& word : words) {
      if (word == "{}") word = file.string();
    }
    return words;
  }
};

inline bool is_installed(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::filesystem::path file = std::filesystem::path(folder) / program;
    if (::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// ffmpeg reads files only, since what it is given might name other things to be read.
inline Job default_job() {
  if (!is_installed("ffmpeg")) return {{"gzip", "-9", "-c", "{}"}, ".gz"};
  return {{"ffmpeg", "-nostdin", "-v", "error", "-protocol_whitelist", "file", "-i", "{}",
           "-frames:v", "1", "-vf", "scale=320:-2", "-f", "image2pipe", "-c:v", "mjpeg", "-"},
          ".jpg"};
}
