// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../support/scale.hpp"

namespace support {

/// A connection to this machine, which says and reads bytes as they are.
class Connection {
 public:
  /// With a `room` for what is not read yet, if one is given.
  explicit Connection(std::uint16_t port, int room = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (room != 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    const timeval patience_time{
        std::chrono::duration_cast<std::chrono::seconds>(patience()).count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience_time, sizeof patience_time);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  Connection(Connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Connection& operator=(Connection&&) = delete;
  ~Connection() { close(); }

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }

  /// Ends it as a machine does that has crashed and is up again.
  void reset() {
    const linger none{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close();
  }

  void say(std::string_view text) const {
    while (!text.empty()) {
      const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // who does not listen answers, or has hung up
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Says no more.
  void fall_silent() const { ::shutdown(socket_, SHUT_WR); }

  /// At least one byte more, or nothing at the end.
  [[nodiscard]] std::string some() const {
    std::string bytes(1 << 16, '\0');
    ssize_t read = 0;
    do {  // a wait with a limit ends with any signal, such as that a program has ended
      read = ::recv(socket_, bytes.data(), bytes.size(), 0);
    } while (read < 0 && errno == EINTR);
    bytes.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
    return bytes;
  }

  [[nodiscard]] std::string rest() const {
    std::string all;
    for (std::string more = some(); !more.empty(); more = some()) all += more;
    return all;
  }

 private:
  int socket_;
};

struct Reply {
  int status = 0;
  std::string head;
  std::string body;

  /// A header's value, or "".
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto begin = head.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return "";
    const auto value = begin + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
  }
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body); }
};

/// What is answered on this connection.
inline Reply reply_on(const Connection& connection) {
  const std::string all = connection.rest();
  const auto end = all.find("\r\n\r\n");
  if (!all.starts_with("HTTP/") || end == std::string::npos) return {0, all, ""};
  return {std::stoi(all.substr(all.find(' '))), all.substr(0, end + 2), all.substr(end + 4)};
}

/// What is answered to these bytes.
inline Reply reply_to(std::uint16_t port, std::string_view request) {
  const Connection connection(port);
  connection.say(request);
  return reply_on(connection);
}

/// `headers`: further lines, each with its end.
inline Reply ask(std::uint16_t port, const std::string& path, const std::string& headers = "",
                 const std::string& method = "GET") {
  return reply_to(port,
                  method + ' ' + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
}

/// With a body.
inline Reply post(std::uint16_t port, const std::string& path, const std::string& headers,
                  const std::string& body) {
  return reply_to(port, "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers +
                            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

/// A WebSocket as a program opens one.
class WebSocket {
 public:
  explicit WebSocket(std::uint16_t port, const std::string& headers = "", int room = 0)
      : connection_(port, room) {
    connection_.say(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        headers + "\r\n");
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos && fill()) {
      head += std::exchange(unread_, {});
    }
    if (head.starts_with("HTTP/1.1 ")) status_ = std::stoi(head.substr(9));
    const auto end = head.find("\r\n\r\n");
    if (end != std::string::npos) unread_ = head.substr(end + 4);
  }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] Connection& connection() { return connection_; }

  /// The next message; none at the end.
  std::optional<nlohmann::json> next() {
    const auto text = next_text();
    return text ? std::optional(nlohmann::json::parse(*text)) : std::nullopt;
  }

  std::optional<std::string> next_text() {
    if (!need(2)) return std::nullopt;
    std::size_t size = static_cast<unsigned char>(unread_[1]);
    const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (!need(2 + more)) return std::nullopt;
    if (more != 0) size = 0;
    for (std::size_t i = 0; i != more; ++i) {
      size = size * 256 + static_cast<unsigned char>(unread_[2 + i]);
    }
    if ((unread_[0] & 0xf) != 1 || !need(2 + more + size)) return std::nullopt;
    std::string text = unread_.substr(2 + more, size);
    unread_.erase(0, 2 + more + size);
    return text;
  }

  /// The first state of a batch from now on for which `is_it` is true; none at the end.
  template <class IsIt>
  std::optional<nlohmann::json> state(const std::string& name, IsIt is_it) {
    while (const auto text = next_text()) {
      if (text->find(nlohmann::json(name).dump()) == std::string::npos) continue;
      const auto message = nlohmann::json::parse(*text);
      for (const auto& batch : message.at("batches")) {
        if (batch.at("name") == name && is_it(batch)) return nlohmann::json(batch);
      }
    }
    return std::nullopt;
  }

 private:
  bool fill() {
    const std::string more = connection_.some();
    unread_ += more;
    return !more.empty();
  }

  bool need(std::size_t bytes) {
    while (unread_.size() < bytes) {
      if (!fill()) return false;
    }
    return true;
  }

  Connection connection_;
  int status_ = 0;
  std::string unread_;
};

}  // namespace support
