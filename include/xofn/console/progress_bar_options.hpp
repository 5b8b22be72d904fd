// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace xofn {

/// How a bar is shown. Where the program leaves it at `detect`, XOFN_PROGRESS=tty|plain|machine|off
/// in the environment decides, and where that is not set, the stream.
enum class BarStyle : std::uint8_t {
  detect,    ///< `terminal` where the stream is a terminal that can move its cursor, else `lines`
  terminal,  ///< one line, drawn over itself
  lines,     ///< a whole line now and then, as a log needs it
  off,       ///< not at all
  machine,   ///< "xofn:completed:failed:total", a line whenever one of them has changed
};

/// What is counted: things, or bytes, which are shown as KiB, MiB, GiB.
enum class BarUnit : std::uint8_t { items, bytes };

/// How a ProgressBar looks; what is left out is found out.
struct ProgressBarOptions {
  BarUnit unit = BarUnit::items;  ///< of the weights, where the batch has some, else of the items
  BarStyle style = BarStyle::detect;
  unsigned width = 0;   ///< columns; 0: those of the terminal, asked for each frame, else 80
  int descriptor = -1;  ///< the file behind a stream that is none of the standard ones; -1: none
};

}  // namespace xofn
