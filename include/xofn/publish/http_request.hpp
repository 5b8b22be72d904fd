// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace xofn {

/// What somebody asks of a handler of `ProgressServer::handle`.
struct HttpRequest {
  std::string method;  ///< "GET", "POST", ...

  /// The parts of the path beneath that of the handler, each decoded: of "/clips/a%20b" for the
  /// handler of "/clips" it is {"a b"}. They are what somebody sent: "..", or with a '/' in it.
  std::vector<std::string> path;

  std::string query;  ///< what comes after the '?', not decoded
  std::string body;
};

}  // namespace xofn
