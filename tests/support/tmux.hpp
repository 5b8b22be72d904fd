// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>
#include <xofn/console/terminal.hpp>

#include "gate.hpp"

namespace support {

/// A stream's way to a file descriptor, one write a time.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {}

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    for (std::streamsize done = 0; done < size;) {
      const ssize_t n = ::write(descriptor_, text + done, static_cast<std::size_t>(size - done));
      if (n <= 0) return done;
      done += n;
    }
    return size;
  }

  int descriptor_;
};

/// A real terminal: a pane of a tmux server of its own, of which the test has the inside too.
class Tmux {
 public:
  [[nodiscard]] static bool is_there() { return !output("command -v tmux").empty(); }

  Tmux(unsigned columns, unsigned rows) {
    static std::atomic<int> servers{0};
    server_ = "env -u TMUX LC_ALL=C.UTF-8 tmux -u -f /dev/null -L xofn-test-" +
              std::to_string(getpid()) + '-' + std::to_string(++servers) + ' ';
    (void)output(server_ + "new-session -d -x " + std::to_string(columns) + " -y " +
                 std::to_string(rows) + " cat");
    (void)output(server_ + "set -g status off");
    (void)output(server_ + "set -g window-size manual");
    std::string path = output(server_ + "display-message -p '#{pane_tty}'");
    path.erase(path.find_last_not_of('\n') + 1);
    descriptor_ = open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (descriptor_ < 0) throw std::runtime_error("tmux has no pane: " + path);
    path_ = path;
    resize(columns, rows);
  }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;
  ~Tmux() {
    close(descriptor_);
    (void)output(server_ + "kill-server");
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  void resize(unsigned columns, unsigned rows) {
    (void)output(server_ + "resize-window -x " + std::to_string(columns) + " -y " +
                 std::to_string(rows));
    const bool is_resized = eventually([&] {
      const xofn::detail::WindowSize size = xofn::detail::window_size(descriptor_);
      return size.columns == columns && size.rows == rows;
    });
    if (!is_resized) throw std::runtime_error("tmux does not resize");
  }

  /// What the pane shows, once that is what is expected, or after a while, whatever it is. Without
  /// empty rows at the end.
  [[nodiscard]] std::vector<std::string> rows(const std::vector<std::string>& expected) const {
    std::vector<std::string> seen;
    (void)eventually([&] { return (seen = capture()) == expected; });
    return seen;
  }

 private:
  [[nodiscard]] std::vector<std::string> capture() const {
    std::istringstream text(output(server_ + "capture-pane -p"));
    std::vector<std::string> rows;
    for (std::string row; std::getline(text, row);) rows.push_back(row);
    while (!rows.empty() && rows.back().empty()) rows.pop_back();
    return rows;
  }

  static std::string output(const std::string& command) {
    FILE* const pipe = popen((command + " 2>&1").c_str(), "r");  // NOLINT(cert-env33-c)
    if (pipe == nullptr) throw std::runtime_error(command);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) {
      text.append(buffer.data(), n);
    }
    pclose(pipe);
    return text;
  }

  std::string server_;
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace support
