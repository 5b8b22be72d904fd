// SPDX-License-Identifier: MIT
// What sha256_tree does to files: it finds them as find does, and hashes them as sha256sum does.
#pragma once

#include <fts.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

struct File {
  std::string path;
  std::uint64_t size;
  int error;  ///< why it cannot be read, if that is known already
};

/// Whether a symbolic link leads to a directory that it is in, or to itself.
inline bool is_loop(const std::filesystem::path& link) {
  std::error_code error;
  const auto target = std::filesystem::canonical(link, error);
  if (error) return error == std::errc::too_many_symbolic_link_levels;
  const auto place = std::filesystem::canonical(link.parent_path(), error);
  return std::mismatch(target.begin(), target.end(), place.begin(), place.end()).first ==
         target.end();
}

/// The regular files at and below the paths, sorted by name. What cannot be looked into (nothing
/// there, no permission, a loop) is among them, with the reason.
inline std::vector<File> find_files(char* const* paths) {
  const std::unique_ptr<FTS, int (*)(FTS*)> tree{
      fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, nullptr), &fts_close};
  if (tree == nullptr) throw std::system_error(errno, std::generic_category());
  std::vector<File> files;
  while (const FTSENT* const entry = fts_read(tree.get())) {
    switch (entry->fts_info) {
      case FTS_F:
        files.push_back(
            {entry->fts_path, static_cast<std::uint64_t>(entry->fts_statp->st_size), 0});
        break;
      case FTS_SL:
        if (is_loop(entry->fts_path)) files.push_back({entry->fts_path, 0, ELOOP});
        break;
      case FTS_DC:  // a directory that is its own parent
        files.push_back({entry->fts_path, 0, ELOOP});
        break;
      case FTS_SLNONE:  // of the paths given: a link to nothing, or to itself
        files.push_back({entry->fts_path, 0, is_loop(entry->fts_path) ? ELOOP : ENOENT});
        break;
      case FTS_DNR:  // a directory that cannot be read
      case FTS_NS:
      case FTS_ERR:
        files.push_back({entry->fts_path, 0, entry->fts_errno});
        break;
    }
  }
  std::sort(files.begin(), files.end(), [](auto& a, auto& b) { return a.path < b.path; });
  return files;
}

/// The name on one line, whatever is in it, as sha256sum writes it.
inline std::string escaped(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const std::size_t special = std::string_view{"\\\n\r"}.find(c);
    if (special == std::string_view::npos) {
      result += c;
    } else {
      result += {'\\', "\\nr"[special]};
    }
  }
  return result;
}

/// The line that sha256sum prints for a file. Calls `on_read(size)` for each piece that was read;
/// throws std::system_error with the name and the reason if the file cannot be read.
template <class OnRead>
std::string sha256_line(const File& file, OnRead on_read) {
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(),
                                                                                &EVP_MD_CTX_free};
  thread_local std::vector<unsigned char> buffer(1 << 18);
  const std::string name = escaped(file.path);
  const auto check = [&](bool is_good) {
    if (!is_good) throw std::system_error(errno, std::generic_category(), name);
  };
  errno = file.error;
  check(file.error == 0);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in{std::fopen(file.path.c_str(), "rb"),
                                                           &std::fclose};
  check(in != nullptr);
  check(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), in.get())) {
    check(EVP_DigestUpdate(context.get(), buffer.data(), size) == 1);
    on_read(size);
  }
  check(std::ferror(in.get()) == 0);
  unsigned char sum[32];
  check(EVP_DigestFinal_ex(context.get(), sum, nullptr) == 1);
  std::string line = name == file.path ? "" : "\\";
  for (const unsigned char byte : sum) {
    line += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  return line + "  " + name;
}
