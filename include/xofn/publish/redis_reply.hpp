// SPDX-License-Identifier: MIT
// Not API: what a Redis server answers.
#pragma once

#include <hiredis/hiredis.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace xofn::detail {

/// An answer that is none of those that were to be expected.
[[noreturn]] inline void refuse_redis_reply() {
  throw std::runtime_error("the server gives an answer that is not understood");
}

/// Asking for what it is not throws std::runtime_error.
class RedisReply {
 public:
  explicit RedisReply(void* reply) : reply_(static_cast<redisReply*>(reply)) {}

  /// The server's own words if it refuses the command.
  void throw_if_error() const {
    if (reply_->type == REDIS_REPLY_ERROR) {
      throw std::runtime_error(text(*reply_, REDIS_REPLY_ERROR));
    }
  }
  [[nodiscard]] bool is_nil() const noexcept { return reply_->type == REDIS_REPLY_NIL; }

  [[nodiscard]] long long integer() const {
    if (reply_->type != REDIS_REPLY_INTEGER) refuse_redis_reply();
    return reply_->integer;
  }
  [[nodiscard]] std::string string() const { return text(*reply_, REDIS_REPLY_STRING); }
  [[nodiscard]] std::string string(std::size_t index) const {
    if (reply_->type != REDIS_REPLY_ARRAY || index >= reply_->elements) refuse_redis_reply();
    return text(*reply_->element[index], REDIS_REPLY_STRING);
  }

 private:
  static std::string text(const redisReply& reply, int type) {
    if (reply.type != type) refuse_redis_reply();
    return {reply.str, reply.len};
  }

  struct Free {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };
  std::unique_ptr<redisReply, Free> reply_;
};

}  // namespace xofn::detail
