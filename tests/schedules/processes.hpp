// SPDX-License-Identifier: MIT
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <vector>

namespace schedules {

/// `run(0)`, `run(1)`, ... `run(count - 1)`, by so many processes, since a process has one
/// scheduler; with one job, by this one. Nothing where a process has died.
template <class Result, class Run>
std::vector<std::optional<Result>> in_processes(unsigned jobs, std::size_t count, Run run) {
  static_assert(std::is_trivially_copyable_v<Result>);
  std::vector<std::optional<Result>> results(count);
  if (jobs < 2 || count < 2) {
    for (std::size_t i = 0; i != count; ++i) results[i] = run(i);
    return results;
  }
  struct Shared {
    std::atomic<std::size_t> next{0};  // nobody has begun it
    std::optional<Result> result;
  };
  const std::size_t size = count * sizeof(Shared);  // the first one's `next` is that of all
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  auto* const shared = static_cast<Shared*>(memory);
  std::uninitialized_default_construct_n(shared, count);
  std::fflush(stdout);
  std::vector<pid_t> processes;
  for (unsigned job = 0; job != std::min<std::size_t>(jobs, count); ++job) {
    const pid_t process = fork();
    if (process < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (process != 0) {
      processes.push_back(process);
      continue;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (std::size_t i = shared->next++; i < count; i = shared->next++) {
      shared[i].result = run(i);
    }
    std::fflush(stdout);
    std::_Exit(0);
  }
  for (const pid_t process : processes) waitpid(process, nullptr, 0);
  for (std::size_t i = 0; i != count; ++i) results[i] = shared[i].result;
  munmap(memory, size);
  return results;
}

}  // namespace schedules
