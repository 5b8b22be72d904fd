// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gate.hpp"

namespace support {

/// A folder of its own under the one for temporary files, which is gone with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "xofn-table-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder: " + path);
    path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;  // a dying server may still write
    while (std::filesystem::remove_all(path_, ignored) == static_cast<std::uintmax_t>(-1)) {
    }
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A real PostgreSQL of our own, behind a Unix socket in a folder of its own: down until it is
/// started. It refuses to run as root; then it runs as nobody.
class PostgresServer {
 public:
  /// Where initdb and postgres are; empty if they are not.
  [[nodiscard]] static std::filesystem::path programs() {
    std::vector<std::filesystem::path> folders;
    if (const char* const path = std::getenv("PATH")) {
      std::string rest = path;
      for (std::size_t end = 0; end != std::string::npos; rest.erase(0, end + 1)) {
        end = rest.find(':');
        folders.emplace_back(rest.substr(0, end));
        if (end == std::string::npos) break;
      }
    }
    std::error_code ignored;
    for (const auto& version :
         std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      folders.push_back(version.path() / "bin");
    }
    for (const auto& folder : folders) {
      if (exists(folder / "initdb", ignored) && exists(folder / "postgres", ignored)) return folder;
    }
    return {};
  }

  PostgresServer() {
    if (geteuid() == 0) {
      const passwd* const nobody = getpwnam("nobody");
      if (nobody == nullptr || chown(folder_.path().c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
        throw std::runtime_error("there is no nobody to be a server");
      }
      user_ = {"setpriv", "--reuid=nobody", "--regid=" + std::to_string(nobody->pw_gid),
               "--clear-groups"};
    }
    run({programs() / "initdb", "--pgdata", data(), "--username", "xofn", "--auth=trust",
         "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1"});
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() {
    if (process_ == none) return;
    ::kill(process_, SIGQUIT);  // it ends its children
    waitpid(process_, nullptr, 0);
  }

  [[nodiscard]] std::string database() const {
    return "postgresql://host=" + folder_.path().string() + " user=xofn dbname=postgres";
  }

  /// Returns when it is there, by `answers()`. One that was killed leaves children that are in the
  /// way for a moment.
  template <class Answers>
  void start(Answers answers) {
    const bool is_there = eventually([&] {
      if (process_ == none || waitpid(process_, nullptr, WNOHANG) == process_) {
        process_ = spawn({programs() / "postgres", "-D", data(), "-k", folder_.path(), "-h", "",
                          "-F", "-c", "shared_buffers=1MB", "-c", "full_page_writes=off", "-c",
                          "dynamic_shared_memory_type=mmap", "-c", "autovacuum=off"});
      }
      return answers();
    });
    if (!is_there) throw std::runtime_error("postgres does not answer");
  }

  void kill() {
    if (process_ == none) return;
    ::kill(process_, SIGKILL);
    waitpid(std::exchange(process_, none), nullptr, 0);
  }

  /// No file may become larger, for those who connect from now on. A number, or "unlimited".
  void allow_files_of(const std::string& bytes) const {
    run({"prlimit", "--pid", std::to_string(process_), "--fsize=" + bytes + ":"});
  }

 private:
  static constexpr pid_t none = -1;

  [[nodiscard]] std::string data() const { return folder_.path() / "data"; }

  void run(const std::vector<std::string>& command) const {
    int status = 1;
    waitpid(spawn(command), &status, 0);
    if (status != 0) throw std::runtime_error("fails: " + command[0]);
  }

  [[nodiscard]] pid_t spawn(const std::vector<std::string>& command) const {
    std::vector<std::string> words = user_;
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string log = (folder_.path() / "log").string();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int out : {STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&actions, out, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0666);
    }
    pid_t process = none;
    const int failed =
        posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) throw std::runtime_error("cannot be run: " + words[0]);
    return process;
  }

  const TemporaryFolder folder_;
  std::vector<std::string> user_;  ///< what makes us another
  pid_t process_ = none;
};

}  // namespace support
