// SPDX-License-Identifier: MIT
// The files that the studio may touch: those that it lists, and no others.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

struct MediaFile {
  std::string name;
  std::uintmax_t size;
};

/// Whether it is a file of its own: no symbolic link, which may lead anywhere, and no device.
inline bool is_plain_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::symlink_status(path, error).type() == std::filesystem::file_type::regular;
}

/// Whether it is UTF-8, without which JSON cannot name it.
inline bool is_text(const std::string& name) {
  using nlohmann::json;
  return json::parse(json(name).dump(-1, ' ', false, json::error_handler_t::ignore)) == name;
}

/// The images, films and sounds that lie in a folder itself. Links are none, nor is what lies
/// deeper, nor what has a name that no page could say. Throws std::filesystem::filesystem_error
/// where there is no folder.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& path) : path_(std::filesystem::canonical(path)) {
    std::filesystem::directory_iterator{path_};
  }

  [[nodiscard]] std::vector<MediaFile> files() const {
    std::vector<MediaFile> files;
    for (const auto& entry : std::filesystem::directory_iterator{path_}) {
      std::error_code error;
      MediaFile file{entry.path().filename().string(), entry.file_size(error)};
      if (!error && has(file.name)) files.push_back(std::move(file));
    }
    std::sort(files.begin(), files.end(), [](auto& a, auto& b) { return a.name < b.name; });
    return files;
  }

  /// Whether the folder has, now, a file that is called so. A name that is a path is none of one.
  [[nodiscard]] bool has(const std::string& name) const {
    return name.find('/') == std::string::npos && name.find('\0') == std::string::npos &&
           is_media(name) && is_text(name) && is_plain_file(path_ / name);
  }

  /// Absolute, so that no program takes it for an option.
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const {
    return path_ / name;
  }

 private:
  static bool is_media(const std::string& name) {
    static constexpr std::array<std::string_view, 25> endings{
        ".avi", ".avif", ".bmp",  ".flac", ".gif",  ".heic", ".jpeg", ".jpg",  ".m4a",
        ".m4v", ".mkv",  ".mov",  ".mp3",  ".mp4",  ".mpg",  ".ogg",  ".opus", ".png",
        ".ppm", ".tif",  ".tiff", ".wav",  ".webm", ".webp", ".wmv"};
    std::string ending = std::filesystem::path(name).extension().string();
    for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return std::binary_search(endings.begin(), endings.end(), ending);
  }

  std::filesystem::path path_;
};
