// SPDX-License-Identifier: MIT
#pragma once

#include <fstream>
#include <string>
#include <xofn/sync.hpp>

#ifdef __clang__
inline constexpr const char* compiler = "clang " __clang_version__;
#elif defined(__GNUC__)
inline constexpr const char* compiler = "g++ " __VERSION__;
#else
inline constexpr const char* compiler = "unknown compiler";
#endif

inline std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

/// What every figure has to be read with.
inline std::string machine() {
  return processor() + ", " + std::to_string(xofn::StdSync::hardware_threads()) + " cores, " +
         compiler;
}
