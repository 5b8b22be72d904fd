// SPDX-License-Identifier: MIT
// A program from its start to its end, without a shell.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

/// The end of a file: no more than `most` bytes, if they can be from the beginning of a line.
inline std::string end_of(const std::filesystem::path& path, std::streamoff most) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(size - most, 0));
  std::string text(std::istreambuf_iterator<char>(in), {});
  const std::size_t line = text.find('\n') + 1;
  return size > most && line < text.size() ? text.substr(line) : text;
}

/// A file that is gone when this is, if it has come into being.
struct TemporaryFile {
  const std::filesystem::path path;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
};

/// Starts a program in a process group of its own, with nothing to read. What it prints, and what
/// it complains of, goes into files; it gets no other, whatever is open here. Throws
/// std::system_error.
inline pid_t spawn(const std::vector<std::string>& command, const std::filesystem::path& output,
                   const std::filesystem::path& complaints) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, output.c_str(), flags, 0644);
  ::posix_spawn_file_actions_addopen(&files, 2, complaints.c_str(), flags, 0644);
  ::posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words[0], &files, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::system_error(error, std::generic_category(), command[0]);
  return pid;
}

/// Runs a program, and returns when it has ended well. What it has started in its process group is
/// killed then; and all of that, and it, when a stop is requested. Throws std::runtime_error with
/// the end of what it has said on stderr, if it ends otherwise. Beside `output`, ".err" is in use.
inline void run_program(const std::vector<std::string>& command,
                        const std::filesystem::path& output, const std::stop_token& stop) {
  const TemporaryFile complaints{output.string() + ".err"};
  const pid_t pid = spawn(command, output, complaints.path);
  {
    const auto kill_all = [pid] { ::kill(-pid, SIGKILL); };
    const std::stop_callback when_stopped(stop, kill_all);
    siginfo_t ended{};  // it is not reaped while it may be killed: its number stays its own
    while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    kill_all();
  }
  int status = 0;
  const bool is_known = ::waitpid(pid, &status, 0) == pid;
  std::string said = end_of(complaints.path, 200);
  said.erase(said.find_last_not_of(" \r\n") + 1);
  if (!is_known) throw std::runtime_error("nobody knows how " + command[0] + " has ended");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string how = WIFEXITED(status)
                              ? " ended with " + std::to_string(WEXITSTATUS(status))
                              : " was ended by signal " + std::to_string(WTERMSIG(status));
  throw std::runtime_error(command[0] + how + (said.empty() ? "" : ": " + said));
}
