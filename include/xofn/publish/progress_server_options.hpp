// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xofn/publish/progress_page.hpp>
#include <xofn/publish/random_digits.hpp>

namespace xofn {

/// Where a `ProgressServer` listens, and what it lets others do.
struct ProgressServerOptions {
  std::uint16_t port = 8080;  ///< 0: one that is free, see `ProgressServer::port()`

  /// The IPv4 address to bind to: who else may come is up to the network, "0.0.0.0" lets in all.
  /// There is no encryption.
  std::string address = "127.0.0.1";

  /// Whether batches may be paused, resumed and cancelled, by who has the token.
  bool controls = false;

  /// What controls ask for, of letters, digits and "-._~"; if it is empty, 32 random digits, see
  /// `ProgressServer::token()`.
  std::string token = {};

  /// The names by which it may be reached besides "localhost" and addresses. A request that names
  /// another host is refused, since a page from anywhere may have its name point here.
  std::vector<std::string> hosts = {};

  /// How many pages are kept up to date at once, at most 1,000; each takes a thread. Others poll.
  unsigned max_live = 32;

  /// How many bytes of a body are read for `ProgressServer::handle`, at most 1 GiB.
  std::size_t max_body = 1 << 20;

  /// What the program adds to the page.
  ProgressPage page = {};
};

namespace detail {

/// Options as the user gave them, made definite. Throws std::invalid_argument.
[[nodiscard]] inline ProgressServerOptions definite(ProgressServerOptions options) {
  if (options.max_live == 0 || options.max_live > 1000) {
    throw std::invalid_argument("xofn: ProgressServer: max_live is " +
                                std::to_string(options.max_live) + ", not from 1 to 1000");
  }
  if (options.max_body > 1 << 30) {
    throw std::invalid_argument("xofn: ProgressServer: max_body is " +
                                std::to_string(options.max_body) + ", above 1 GiB");
  }
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  if (options.token.find_first_not_of(letters) != std::string::npos) {
    throw std::invalid_argument(
        "xofn: ProgressServer: the token has other characters than letters, digits and -._~");
  }
  if (!options.controls) options.token.clear();
  if (options.controls && options.token.empty()) options.token = random_digits();
  return options;
}

/// Throws std::invalid_argument for what a URL or JSON could not name.
inline void check_batch_name(const std::string& name) {
  const bool is_path = name.empty() || name.size() > 200 || name == "." || name == ".." ||
                       name.find('\0') != std::string::npos;
  try {
    if (!is_path && !nlohmann::json(name).dump().empty()) return;
  } catch (const nlohmann::json::type_error&) {
    throw std::invalid_argument("xofn: ProgressServer: the name of a batch is no UTF-8");
  }
  throw std::invalid_argument("xofn: ProgressServer: a batch cannot be called '" + name + "'");
}

}  // namespace detail
}  // namespace xofn
