// SPDX-License-Identifier: MIT
// Not API: what a stream is connected to, and what the environment asks for.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>
#include <typeinfo>

#if __has_include(<sys/ioctl.h>) && __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

namespace xofn::detail {

/// The descriptor that a standard stream writes to, whatever object it is reached through; -1 for
/// any other stream, also for a standard one that has been given the buffer of a file or a string.
[[nodiscard]] inline int descriptor_of(const std::ostream& out) {
  const std::streambuf* const buffer = out.rdbuf();
  if (buffer == nullptr) return -1;
  const std::streambuf& target = *buffer;
  if (typeid(target) == typeid(std::filebuf) || typeid(target) == typeid(std::stringbuf)) return -1;
  if (buffer == std::cerr.rdbuf() || buffer == std::clog.rdbuf()) return 2;
  return buffer == std::cout.rdbuf() ? 1 : -1;
}

/// The value of a variable of the environment; empty if it is not set.
[[nodiscard]] inline std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

struct WindowSize {
  unsigned columns = 0;
  unsigned rows = 0;
};

/// The size of the terminal behind a descriptor as it is now; 0 of what is unknown.
[[nodiscard]] inline WindowSize window_size([[maybe_unused]] int descriptor) noexcept {
#if defined(TIOCGWINSZ)
  winsize size{};
  if (descriptor >= 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
    return {size.ws_col, size.ws_row};
  }
#endif
  return {};
}

/// Whether this descriptor is a terminal. Where the system has none of this kind, none is.
[[nodiscard]] inline bool is_terminal([[maybe_unused]] int descriptor) noexcept {
#if defined(TIOCGWINSZ)
  return descriptor >= 0 && isatty(descriptor) == 1;
#else
  return false;
#endif
}

}  // namespace xofn::detail
