// SPDX-License-Identifier: MIT
// Not API: where whole lines go.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace xofn::detail {

class LineOutput {
 public:
  virtual ~LineOutput() = default;
  /// Both throw if it fails.
  virtual void write(std::string_view line) = 0;
  virtual void flush() = 0;
};

/// A stream that somebody else owns. Nobody knows how much of a line is there that has failed: the
/// next begins on a new one.
class LineStream final : public LineOutput {
 public:
  explicit LineStream(std::ostream& out) noexcept : out_(out) {}

  void write(std::string_view line) override {
    const std::string text = (out_ ? "" : "\n") + std::string(line);
    out_.clear();
    out_.write(text.data(), static_cast<std::streamsize>(text.size()));
    check();
  }

  void flush() override {
    out_.flush();
    check();
  }

 private:
  void check() const {
    if (!out_) throw std::runtime_error("xofn: JsonLines: the stream has failed");
  }

  std::ostream& out_;
};

/// A file, to which is appended. What a failure has cut off is written before the next line.
class LineFile final : public LineOutput {
 public:
  explicit LineFile(const std::string& path) : file_(std::fopen(path.c_str(), "ae")), path_(path) {
    if (file_ == nullptr) fail();
    std::setvbuf(file_.get(), nullptr, _IONBF, 0);  // so that it is known how much was written
  }

  void write(std::string_view line) override {
    const std::size_t before = rest_.size();
    rest_ += line;
    const std::size_t written = std::fwrite(rest_.data(), 1, rest_.size(), file_.get());
    if (written == rest_.size()) {
      rest_.clear();
      return;
    }
    const int error = errno;
    std::clearerr(file_.get());
    if (written <= before) rest_.resize(before);  // nothing of this line
    rest_.erase(0, written);
    errno = error;
    fail();
  }

  void flush() override {}

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  [[noreturn]] void fail() const {
    throw std::system_error(errno, std::generic_category(), "xofn: JsonLines: " + path_);
  }

  const std::unique_ptr<std::FILE, Close> file_;
  const std::string path_;
  std::string rest_;
};

}  // namespace xofn::detail
