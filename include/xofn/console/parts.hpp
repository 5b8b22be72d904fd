// SPDX-License-Identifier: MIT
// Not API: a line that is shortened by leaving out whole words.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>
#include <xofn/console/cells.hpp>

namespace xofn::detail {

/// Pieces of printable text with a space between them. Of those that do not all fit into a width
/// the most important are kept, each whole.
class Parts {
 public:
  /// At the end of the line; an empty text is none. `rank`: 0 is kept longest.
  void add(int rank, std::string text, bool is_red = false) {
    if (!text.empty()) parts_.push_back({std::move(text), rank, is_red});
  }

  void fit(std::size_t room) {
    std::vector<std::size_t> by_rank(parts_.size());
    for (std::size_t i = 0; i < by_rank.size(); ++i) by_rank[i] = i;
    std::stable_sort(by_rank.begin(), by_rank.end(), [this](std::size_t a, std::size_t b) {
      return parts_[a].rank < parts_[b].rank;
    });
    std::size_t used = 0;
    for (const std::size_t i : by_rank) {
      const std::size_t needed = used + (used == 0 ? 0 : 1) + cells(parts_[i].text);
      if (needed <= room) {
        used = needed;
      } else {
        parts_[i].text.clear();
      }
    }
  }

  [[nodiscard]] std::string joined(bool is_coloured) const {
    std::string line;
    for (const Part& part : parts_) {
      if (part.text.empty()) continue;
      if (!line.empty()) line += ' ';
      line += is_coloured && part.is_red ? "\033[31m" + part.text + "\033[0m" : part.text;
    }
    return line;
  }

 private:
  struct Part {
    std::string text;
    int rank;
    bool is_red;
  };

  std::vector<Part> parts_;
};

}  // namespace xofn::detail
