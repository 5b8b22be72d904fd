// SPDX-License-Identifier: MIT
// Not API: how a state is written down in Redis.
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#include <xofn/publish/link.hpp>
#include <xofn/publish/progress_json.hpp>
#include <xofn/publish/published_state.hpp>
#include <xofn/publish/redis_channel_options.hpp>
#include <xofn/publish/redis_connection.hpp>
#include <xofn/publish/redis_reply.hpp>
#include <xofn/sync.hpp>

namespace xofn::detail {

/// KEYS: the hash, which is the channel as well. ARGV: batch, sequence, expiry in ms, message,
/// fields of the hash. A state that is not newer than the one there changes nothing, wherever it
/// comes from: an attempt that was given up may still be on its way. 0: it belongs to a batch in
/// whose place there is another.
inline constexpr const char* write_state_script = R"lua(
local there = redis.call('HMGET', KEYS[1], 'batch', 'sequence')
local batch, sequence = tonumber(there[1] or 0), tonumber(there[2] or 0)
if batch > tonumber(ARGV[1]) then return 0 end
if batch < tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
elseif sequence >= tonumber(ARGV[2]) then
  return 1
end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[1], ARGV[4])
return 1
)lua";

/// Connects when there is something to send, and anew after each failure.
template <class Sync = StdSync>
class RedisLink {
 public:
  using Clock = typename Sync::clock;
  using TimePoint = typename Clock::time_point;
  using State = PublishedState<Sync>;

  explicit RedisLink(RedisChannelOptions options) : options_(std::move(options)) {}

  void send(const State& state, TimePoint deadline) {
    try {
      if (!connection_) connection_.emplace(options_, deadline);
      if (batch_ != state.batch) number_batch(state, deadline);
      if (write(state, deadline)) return;
    } catch (const std::exception& error) {
      connection_.reset();
      throw std::runtime_error(server() + ": " + error.what());
    }
    throw Refused("another batch, which began later, is published as " + key());
  }

 private:
  /// The number is the time of the server at which the batch began, in microseconds: so batches are
  /// in order, whoever runs them, and also one that comes late to a server that was down. If there
  /// is a greater one than the server's time now, its clock was put back, and that one goes before.
  void number_batch(const State& state, TimePoint deadline) {
    const auto age = std::chrono::floor<std::chrono::microseconds>(Clock::now() - state.began);
    const std::vector<RedisReply> replies =
        connection_->exchange({{"TIME"}, {"HGET", key(), "batch"}}, deadline);
    const std::int64_t now =
        number_in(replies[0].string(0)) * 1'000'000 + number_in(replies[0].string(1));
    const std::int64_t there = replies[1].is_nil() ? 0 : number_in(replies[1].string());
    const std::int64_t number = there > now ? there + 1 : now - age.count();
    number_ = std::max(number, number_ + 1);
    batch_ = state.batch;
  }

  /// False if the batch has lost its place to another.
  [[nodiscard]] bool write(const State& state, TimePoint deadline) {
    nlohmann::ordered_json message = progress_json(options_.name, state.progress);
    message["batch"] = number_;
    message["sequence"] = state.sequence;
    const auto expiry = std::chrono::ceil<std::chrono::milliseconds>(options_.expiry);
    RedisCommand command{"EVAL",
                         write_state_script,
                         "1",
                         key(),
                         std::to_string(number_),
                         std::to_string(state.sequence),
                         std::to_string(expiry.count()),
                         text_of(message)};
    for (const auto& [field, value] : message.items()) {
      command.push_back(field);
      command.push_back(value.is_string() ? value.template get<std::string>() : text_of(value));
    }
    return connection_->exchange({command}, deadline)[0].integer() != 0;
  }

  /// What is no UTF-8 in a name is replaced, since JSON has no other text.
  static std::string text_of(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }

  static std::int64_t number_in(const std::string& text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
  }

  [[nodiscard]] std::string key() const { return options_.prefix + options_.name; }
  [[nodiscard]] std::string server() const {
    return options_.socket.empty() ? options_.host + ':' + std::to_string(options_.port)
                                   : options_.socket;
  }

  RedisChannelOptions options_;
  std::optional<RedisConnection<Sync>> connection_;
  std::uint64_t batch_ = 0;  ///< the one that has the number
  std::int64_t number_ = 0;
};

static_assert(Link<RedisLink<>, StdSync>);

}  // namespace xofn::detail
