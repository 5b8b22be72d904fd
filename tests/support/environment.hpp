// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace support {

/// Sets a variable of the environment until the end of the scope.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() {
    if (before_) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

/// What the tests' own surroundings ask of bars is not what is tested: it is forgotten before main.
inline const bool surroundings_are_plain = [] {
  for (const char* const name :
       {"XOFN_PROGRESS", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "ConEmuANSI",
        "WT_SESSION", "TERM_PROGRAM", "TMUX", "STY"}) {
    unsetenv(name);
  }
  return true;
}();

}  // namespace support
