// SPDX-License-Identifier: MIT
// Not API: whom a server on a private address may answer.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xofn::detail {

[[nodiscard]] inline bool is_equal_but_for_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// Whether a list such as "keep-alive, Upgrade" has this word.
[[nodiscard]] inline bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, end);
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one = one.substr(0, one.find_last_not_of(" \t") + 1);
    if (is_equal_but_for_case(one, word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// "localhost" of "localhost:8080", "::1" of "[::1]"; none of what is no host.
[[nodiscard]] inline std::optional<std::string_view> host_name(std::string_view host) {
  const bool is_v6 = host.starts_with('[');
  const std::size_t end = is_v6 ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view name = is_v6 ? host.substr(1, end - 1) : host.substr(0, end);
  std::string_view port = host.substr(is_v6 ? end + 1 : end);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!port.empty()) {
    if (port.size() < 2 || port.size() > 6 || port.front() != ':') return std::nullopt;
    port.remove_prefix(1);
    if (!std::all_of(port.begin(), port.end(), is_digit)) return std::nullopt;
  }
  const std::string_view letters = is_v6 ? "0123456789abcdefABCDEF:." : "";
  if (name.empty() || (is_v6 && name.find_first_not_of(letters) != std::string_view::npos)) {
    return std::nullopt;
  }
  return name;
}

/// Whether a request may name this host: an address, "localhost", or one of `names`. No page from
/// elsewhere can have made a browser send that, however names are resolved.
[[nodiscard]] inline bool is_allowed_host(std::string_view host,
                                          const std::vector<std::string>& names) {
  const auto name = host_name(host);
  if (!name) return false;
  if (host.starts_with('[') || is_equal_but_for_case(*name, "localhost")) return true;
  const bool is_v4 = std::count(name->begin(), name->end(), '.') == 3 &&
                     name->find_first_not_of("0123456789.") == std::string_view::npos;
  return is_v4 || std::any_of(names.begin(), names.end(), [&](const std::string& known) {
           return is_equal_but_for_case(*name, known);
         });
}

/// Whether a page of `origin` is one of the server that `host` names.
[[nodiscard]] inline bool is_same_origin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) {
      return is_equal_but_for_case(origin.substr(scheme.size()), host);
    }
  }
  return false;
}

/// Compares in a time that tells nothing about `secret` but its length.
[[nodiscard]] inline bool is_secret(std::string_view said, std::string_view secret) {
  if (said.size() != secret.size()) return false;
  int difference = 0;
  for (std::size_t i = 0; i != secret.size(); ++i) difference |= said[i] ^ secret[i];
  return difference == 0;
}

/// The parts between the slashes of a path, decoded; none if it is malformed.
[[nodiscard]] inline std::optional<std::vector<std::string>> path_parts(std::string_view path) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/') {
      parts.emplace_back();
    } else if (path[i] != '%') {
      parts.back() += path[i];
    } else {
      const int high = i + 2 < path.size() ? digit(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? digit(path[i + 2]) : -1;
      if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
      parts.back() += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return parts;
}

}  // namespace xofn::detail
