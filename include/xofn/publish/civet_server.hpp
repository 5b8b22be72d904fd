// SPDX-License-Identifier: MIT
// Not API: CivetWeb, from its start to its stop.
#pragma once

#include <civetweb.h>
#include <signal.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace xofn::detail {

/// What a server does. It is called on CivetWeb's threads, of which each is busy with one
/// connection at a time.
class CivetHandler {
 public:
  /// Answers, and returns the status; 0 if a WebSocket is to be opened at "/ws".
  virtual int request(mg_connection* connection) noexcept = 0;

  /// A WebSocket has been opened. Returns when it is to be closed.
  virtual void websocket(mg_connection* connection) noexcept = 0;

 protected:
  ~CivetHandler() = default;
};

/// Has a signal handled as before, whatever is done meanwhile.
class KeptSignal {
 public:
  explicit KeptSignal(int signal) noexcept : signal_(signal) {
    sigaction(signal_, nullptr, &before_);
  }
  KeptSignal(const KeptSignal&) = delete;
  KeptSignal& operator=(const KeptSignal&) = delete;
  ~KeptSignal() { sigaction(signal_, &before_, nullptr); }

 private:
  int signal_;
  struct sigaction before_ {};
};

/// Listens while it lives. No file is served, and nothing is logged. What a connection may take is
/// bounded: 8 KiB for a request, and 5 s in which none of it comes, or of an answer goes.
class CivetServer {
 public:
  /// Throws std::runtime_error if it cannot listen.
  CivetServer(CivetHandler& handler, const std::string& address, std::uint16_t port,
              unsigned threads)
      : handler_(handler) {
    const std::string where = address + ':' + std::to_string(port);
    const std::string number = std::to_string(threads);
    std::array<const char*, 13> options{"listening_ports",
                                        where.c_str(),
                                        "num_threads",
                                        number.c_str(),
                                        "request_timeout_ms",
                                        "5000",
                                        "max_request_size",
                                        "8192",
                                        "tcp_nodelay",
                                        "1",
                                        "decode_url",
                                        "no",
                                        nullptr};
    mg_callbacks callbacks{};
    callbacks.begin_request = [](mg_connection* c) {
      return self(mg_get_context(c)).handler_.request(c);
    };
    callbacks.init_context = [](const mg_context* c) { self(c).begin(const_cast<mg_context*>(c)); };
    callbacks.log_message = [](const mg_connection* c, const char* message) {
      self(mg_get_context(c)).note(message);
      return 1;  // not to be logged elsewhere
    };
    mg_init_library(0);
    const KeptSignal sigpipe(SIGPIPE);  // which CivetWeb would have ignored from now on
    context_ = mg_start(&callbacks, this, options.data());
    if (context_ == nullptr) {
      mg_exit_library();
      throw std::runtime_error("xofn: ProgressServer: cannot listen on " + where + ": " + said_);
    }
  }
  CivetServer(const CivetServer&) = delete;
  CivetServer& operator=(const CivetServer&) = delete;

  /// Ends all connections. CivetWeb looks every two seconds whether it is to stop.
  ~CivetServer() {
    mg_stop(context_);
    mg_exit_library();
  }

  [[nodiscard]] std::uint16_t port() const noexcept {
    mg_server_port port{};
    mg_get_server_ports(context_, 1, &port);
    return static_cast<std::uint16_t>(port.port);
  }

 private:
  [[nodiscard]] static CivetServer& self(const mg_context* context) noexcept {
    return *static_cast<CivetServer*>(mg_get_user_data(context));
  }

  /// It listens, and its threads are about to start.
  void begin(mg_context* context) {
    listens_ = true;
    mg_set_websocket_handler(
        context, "/ws", nullptr,
        [](mg_connection* c, void* server) {
          static_cast<CivetServer*>(server)->handler_.websocket(c);
          mg_close_connection(c);  // so that what comes from there is never read
        },
        nullptr, nullptr, this);
  }

  /// Keeps why it cannot listen.
  void note(const char* message) {
    if (!listens_ && said_.empty()) said_ = message;
  }

  CivetHandler& handler_;
  mg_context* context_ = nullptr;
  bool listens_ = false;
  std::string said_;
};

}  // namespace xofn::detail
