// SPDX-License-Identifier: MIT
// What others see of a batch in Redis, by a server of our own that is stopped, killed and started.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/progress_tracker.hpp>
#include <xofn/publish/redis.hpp>

#include "../support/gate.hpp"
#include "../support/progress.hpp"
#include "../support/ranges.hpp"
#include "../support/redis.hpp"
#include "../support/steps.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using support::eventually;
using support::numbers;
using support::patience;
using support::RedisClient;
using support::RedisServer;
using support::SilentServer;
using support::snapshot;
using support::Steps;
using support::whole;
using xofn::Batch;
using xofn::BatchProcessor;
using xofn::Delivery;
using xofn::ProgressTracker;
using xofn::RedisChannel;
using xofn::RedisChannelOptions;

namespace {

using Fields = std::map<std::string, std::string>;
using Messages = std::vector<nlohmann::json>;

/// Nothing is left out in CI.
void need_redis() {
  if (RedisServer::is_there()) return;
  if (std::getenv("CI") != nullptr) FAIL("redis-server was not found: nothing is left out in CI");
  SKIP("redis-server was not found");
}

/// Tries again soon, and gives up only where a test says so.
RedisChannelOptions clips_at(int port) {
  return {.port = port, .name = "clips", .timeout = 1h, .backoff = 1ms, .linger = 0ms};
}

const std::string clips = "xofn:clips";

bool hash_has(RedisClient& client, const char* field, const std::string& value) {
  return eventually([&] { return client.hash(clips)[field] == value; });
}

std::int64_t number_in(const Fields& fields, const char* field) {
  return std::stoll(fields.at(field));
}

bool is_last(const nlohmann::json& message) {
  return message["state"] == "finished" || message["state"] == "cancelled";
}

Messages messages_of_a_batch(RedisClient& subscriber) {
  Messages messages;
  do messages.push_back(subscriber.message());
  while (!is_last(messages.back()));
  return messages;
}

/// The message as the hash should have it.
Fields as_fields(const nlohmann::json& message) {
  Fields fields;
  for (const auto& [field, value] : message.items()) {
    fields[field] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return fields;
}

/// What is wrong with messages in the order in which they came; empty if nothing is.
std::string wrong_in(const Messages& messages) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const nlohmann::json& now = messages[i];
    const std::string here = "message " + std::to_string(i) + ": " + now.dump();
    if (now["succeeded"].get<int>() + now["failed"].get<int>() != now["completed"].get<int>()) {
      return "X is not what has succeeded and failed: " + here;
    }
    if (now["completed"] > now["total"]) return "X > N: " + here;
    if (i == 0) continue;
    const nlohmann::json& before = messages[i - 1];
    if (now["sequence"] <= before["sequence"]) return "an older state: " + here;
    if (now["batch"] < before["batch"]) return "an older batch: " + here;
    if (now["batch"] == before["batch"] && now["completed"] < before["completed"]) {
      return "X fell: " + here;
    }
  }
  return {};
}

}  // namespace

TEST_CASE("Redis: the messages and the hash agree, X never falls, and the last state arrives") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", clips});
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> processor({.max_workers = 4});
  processor.on_progress(channel, Delivery::every());
  processor.run(numbers(1000), [](int n) {
    if (n % 10 == 0) throw std::runtime_error("no such codec");
  });
  CHECK(channel.flush(patience()));
  CHECK(channel.error().empty());
  CHECK(channel.failed_attempts() == 0);

  const Messages messages = messages_of_a_batch(subscriber);
  CHECK(wrong_in(messages).empty());
  const nlohmann::json& last = messages.back();
  CHECK(last["name"] == "clips");
  CHECK(last["completed"] == 1000);
  CHECK(last["total"] == 1000);
  CHECK(last["succeeded"] == 900);
  CHECK(last["failed"] == 100);
  CHECK(last["cancelled"] == 0);
  CHECK(last["running"] == 0);
  CHECK(last["retried"] == 0);
  CHECK(last["total_is_final"] == true);
  CHECK(last["state"] == "finished");
  CHECK(last["elapsed_seconds"].is_number_float());
  CHECK_FALSE(last.contains("weight_total"));

  RedisClient client(server.port());
  const Fields hash = client.hash(clips);
  CHECK(hash == as_fields(last));
  CHECK(hash.at("state") == "finished");
  CHECK(hash.at("completed") == "1000");
  CHECK(hash.at("total_is_final") == "true");
}

TEST_CASE("Redis: who comes late reads the state, and can tell which messages are older") {
  need_redis();
  RedisServer server;
  server.start();
  Steps steps;
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> processor({.max_workers = 1});
  processor.on_progress(channel, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(10), std::ref(steps));
  RedisClient client(server.port());
  steps.allow(2);
  REQUIRE(hash_has(client, "completed", "2"));

  RedisClient late(server.port());
  late.ask({"SUBSCRIBE", clips});
  steps.allow(4);  // these come in between
  REQUIRE(hash_has(client, "completed", "4"));
  const Fields state = client.hash(clips);
  steps.allow(10);
  batch.wait();
  CHECK(channel.flush(patience()));

  std::int64_t older = 0;
  for (const nlohmann::json& message : messages_of_a_batch(late)) {
    CHECK(message["batch"] == number_in(state, "batch"));
    const bool is_older = message["sequence"] <= number_in(state, "sequence");
    older += is_older ? 1 : 0;
    CHECK(is_older == (message["completed"] <= number_in(state, "completed")));
    if (message["sequence"] == number_in(state, "sequence")) CHECK(as_fields(message) == state);
  }
  CHECK(older >= 1);
}

TEST_CASE("Redis: a server that is down at the start is told the last state when it comes") {
  need_redis();
  RedisServer server;
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> processor({.max_workers = 2});
  processor.on_progress(channel, Delivery::latest());
  CHECK(processor.run(numbers(100), [](int) {}).all_succeeded());
  CHECK_FALSE(channel.flush(0s));
  REQUIRE(eventually([&] { return channel.failed_attempts() >= 3; }));
  CHECK_THAT(channel.error(), ContainsSubstring("127.0.0.1:" + std::to_string(server.port())) &&
                                  ContainsSubstring("refused"));

  server.start();
  CHECK(channel.flush(patience()));
  CHECK(channel.error().empty());
  RedisClient client(server.port());
  CHECK(client.hash(clips)["completed"] == "100");
  CHECK(client.hash(clips)["state"] == "finished");
}

TEST_CASE("Redis: a server that is killed in the middle and comes back is told the last state") {
  need_redis();
  RedisServer server;
  server.start();
  Steps steps;
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> processor({.max_workers = 1});
  processor.on_progress(channel, Delivery::latest(1ms));
  Batch<void> batch = processor.start(numbers(10), std::ref(steps));
  steps.allow(3);
  std::string before;
  {
    RedisClient client(server.port());
    REQUIRE(hash_has(client, "completed", "3"));
    before = client.hash(clips)["batch"];
  }
  server.kill();
  const bool ends_without_it = GENERATE(false, true);
  steps.allow(ends_without_it ? 10 : 6);
  REQUIRE(eventually([&] { return batch.progress().completed() >= 6; }));
  REQUIRE(eventually([&] { return channel.failed_attempts() >= 2; }));
  if (ends_without_it) batch.wait();

  server.start();
  RedisClient client(server.port());
  if (!ends_without_it) {
    REQUIRE(hash_has(client, "completed", "6"));
    RedisClient subscriber(server.port());
    subscriber.ask({"SUBSCRIBE", clips});
    steps.allow(10);
    CHECK(wrong_in(messages_of_a_batch(subscriber)).empty());
  }
  batch.wait();
  CHECK(channel.flush(patience()));
  Fields hash = client.hash(clips);
  CHECK(hash["completed"] == "10");
  CHECK(hash["state"] == "finished");
  CHECK(hash["batch"] == before);  // the same to those who have seen it before
}

TEST_CASE("Redis: the hash is gone after the expiry, and is renewed while the batch runs") {
  need_redis();
  RedisServer server;
  server.start();
  RedisChannelOptions options = clips_at(server.port());
  options.expiry = 1s;
  const RedisChannel channel(options);
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", clips});
  RedisClient client(server.port());
  channel(snapshot(1, 2));
  nlohmann::json first = subscriber.message();
  const nlohmann::json second = subscriber.message();  // though nothing has changed
  CHECK(second["sequence"] > first["sequence"]);
  first["sequence"] = second["sequence"];
  CHECK(first == second);
  long long left = 0;
  CHECK(eventually([&] { return (left = std::stoll(client.ask({"PTTL", clips}).at(0))) > 0; }));
  CHECK(left <= 1000);
  channel(whole(2));
  CHECK(channel.flush(patience()));
  CHECK(eventually([&] { return client.hash(clips).empty(); }));
}

TEST_CASE("Redis: the hash is kept for as long as the options say") {
  need_redis();
  RedisServer server;
  server.start();
  RedisChannelOptions options = clips_at(server.port());
  options.expiry = 24h;
  const RedisChannel channel(options);
  channel(whole(1));
  REQUIRE(channel.flush(patience()));
  RedisClient client(server.port());
  const auto left = std::chrono::milliseconds(std::stoll(client.ask({"PTTL", clips}).at(0)));
  CHECK(left > 23h);
  CHECK(left <= 24h);
}

TEST_CASE("Redis: the batch does not wait for a server that stands still") {
  need_redis();
  RedisServer server;
  server.start();
  const RedisChannel channel(clips_at(server.port()));
  channel(snapshot(0, 1));
  REQUIRE(channel.flush(patience()));  // so that it is connected
  server.stop();
  BatchProcessor<int> processor({.max_workers = 2});
  processor.on_progress(channel, GENERATE(Delivery::every(), Delivery::latest()));
  CHECK(processor.run(numbers(100), [](int) {}).progress().completed() == 100);
  CHECK_FALSE(channel.flush(0s));
  server.resume();
  CHECK(channel.flush(patience()));
  RedisClient client(server.port());
  CHECK(client.hash(clips)["completed"] == "100");
}

TEST_CASE("Redis: the batch does not wait for a server that never answers") {
  SilentServer server;
  std::optional<RedisChannel> channel(clips_at(server.port()));
  {
    BatchProcessor<int> processor({.max_workers = 2});
    processor.on_progress(*channel, Delivery::latest());
    CHECK(processor.run(numbers(100), [](int) {}).progress().completed() == 100);
  }
  CHECK_FALSE(channel->flush(0s));
  server.close();  // an attempt may take an hour
  CHECK(eventually([&] { return channel->failed_attempts() > 0; }));
  channel.reset();
}

TEST_CASE("Redis: an attempt that is not answered in time has failed") {
  SilentServer server;
  RedisChannelOptions options = clips_at(server.port());
  options.timeout = 20ms;
  const RedisChannel channel(options);
  channel(snapshot(1, 2));
  CHECK(eventually([&] { return channel.failed_attempts() >= 3; }));
  CHECK_THAT(channel.error(), ContainsSubstring("does not answer in time"));
  server.close();
}

TEST_CASE("Redis: what answers may be something else") {
  SilentServer server;
  const RedisChannel channel(clips_at(server.port()));
  channel(snapshot(1, 2));
  const auto error_after = [&](const std::string& answer) {
    const auto failed = channel.failed_attempts();
    server.answer(answer);
    REQUIRE(eventually([&] { return channel.failed_attempts() > failed; }));
    return channel.error();
  };
  const std::string time = "*2\r\n$1\r\n1\r\n$1\r\n1\r\n";
  for (const std::string& answer :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("+OK\r\n+OK\r\n"),
        std::string("*0\r\n$-1\r\n"), time + ":1\r\n"}) {
    CHECK_THAT(error_after(answer), ContainsSubstring("is not understood"));
  }
  CHECK_THAT(error_after(time), ContainsSubstring("the server has closed the connection"));
  server.close();
}

TEST_CASE("Redis: what was given up and arrives late replaces nothing that is newer") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", clips});
  RedisChannelOptions options = clips_at(server.port());
  options.timeout = 20ms;
  const RedisChannel channel(options);
  channel(snapshot(0, 10));
  REQUIRE(eventually([&] { return channel.flush(0s); }));
  server.stop();
  for (std::uint64_t x = 1; x <= 3; ++x) {  // each on a connection of its own
    channel(snapshot(x, 10));
    const auto failed = channel.failed_attempts();
    REQUIRE(eventually([&] { return channel.failed_attempts() >= failed + 2; }));
  }
  server.resume();
  channel(whole(10));
  CHECK(channel.flush(patience()));
  const Messages messages = messages_of_a_batch(subscriber);
  CHECK(wrong_in(messages).empty());
  RedisClient client(server.port());
  CHECK(client.hash(clips) == as_fields(messages.back()));
}

TEST_CASE("Redis: an older state that comes after a newer one is dropped") {
  need_redis();
  RedisServer server;
  server.start();
  xofn::detail::RedisLink<> link(clips_at(server.port()));
  const auto now = std::chrono::steady_clock::now();
  const auto send = [&](std::uint64_t x, std::uint64_t sequence) {
    link.send({snapshot(x, 10), 1, sequence, now}, now + 1h);
  };
  RedisClient client(server.port());
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", clips});
  send(5, 50);
  send(3, 30);
  CHECK(client.hash(clips)["completed"] == "5");
  send(5, 50);
  send(6, 60);
  CHECK(client.hash(clips)["completed"] == "6");
  CHECK(subscriber.message()["completed"] == 5);
  CHECK(subscriber.message()["completed"] == 6);
}

TEST_CASE("Redis: batches of one channel follow each other") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", clips});
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> processor({.max_workers = 2});
  processor.on_progress(channel, Delivery::latest());
  Messages all;
  for (int batch = 1; batch <= 20; ++batch) {
    processor.run(numbers(batch), [](int) {});
    CHECK(channel.flush(patience()));
    const Messages messages = messages_of_a_batch(subscriber);
    CHECK(messages.back()["completed"] == batch);
    if (!all.empty()) CHECK(messages.front()["batch"] > all.back()["batch"]);
    all.insert(all.end(), messages.begin(), messages.end());
  }
  CHECK(wrong_in(all).empty());
}

TEST_CASE("Redis: batches of one name follow each other, each with a channel of its own") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  std::string before = "0";
  for (std::uint64_t n = 1; n <= 20; ++n) {
    const RedisChannel channel(clips_at(server.port()));
    channel(whole(n));
    CHECK(channel.flush(patience()));
    Fields hash = client.hash(clips);
    CHECK(hash["completed"] == std::to_string(n));
    CHECK(std::stoll(hash["batch"]) > std::stoll(before));
    before = hash["batch"];
  }
}

TEST_CASE("Redis: fields that a batch does not have are not left by the one before") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  const RedisChannel channel(clips_at(server.port()));
  BatchProcessor<int> weighing({.max_workers = 2});
  weighing.weigh_by([](int n) { return static_cast<std::uint64_t>(n) + 1; })
      .on_progress(channel, Delivery::latest());
  weighing.run(numbers(4), [](int) {});
  CHECK(channel.flush(patience()));
  CHECK(client.hash(clips)["weight_completed"] == "10");
  CHECK(client.hash(clips)["weight_total"] == "10");

  ProgressTracker tracker{1};
  tracker.on_progress(channel, Delivery::every());
  tracker.succeed();
  tracker.wait();
  CHECK(channel.flush(patience()));
  const Fields hash = client.hash(clips);
  CHECK(hash.at("completed") == "1");
  CHECK_FALSE(hash.contains("weight_total"));
}

TEST_CASE("Redis: of two batches with one name that run at once the later is published") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  const RedisChannel earlier(clips_at(server.port()));
  const RedisChannel later(clips_at(server.port()));
  earlier(snapshot(1, 10));
  REQUIRE(earlier.flush(patience()));
  later(snapshot(2, 20));
  REQUIRE(later.flush(patience()));
  earlier(whole(10));
  CHECK_FALSE(earlier.flush(patience()));
  CHECK_THAT(earlier.error(),
             ContainsSubstring("another batch, which began later") && ContainsSubstring(clips));
  CHECK(client.hash(clips)["total"] == "20");
  later(whole(20));
  CHECK(later.flush(patience()));
  CHECK(later.error().empty());
  CHECK(client.hash(clips)["state"] == "finished");

  earlier(whole(11));  // a new batch
  CHECK(earlier.flush(patience()));
  CHECK(earlier.error().empty());
  CHECK(client.hash(clips)["total"] == "11");
}

TEST_CASE("Redis: a batch that comes late to the server does not replace one that began later") {
  need_redis();
  RedisServer server;
  const RedisChannel earlier(clips_at(server.port()));
  earlier(snapshot(1, 10));
  REQUIRE(eventually([&] { return earlier.failed_attempts() >= 5; }));
  server.start();
  REQUIRE(earlier.flush(patience()));  // its number is given now
  server.kill();
  const RedisChannel later(clips_at(server.port()));
  later(snapshot(2, 20));
  REQUIRE(eventually([&] { return later.failed_attempts() >= 5; }));
  server.start();
  REQUIRE(later.flush(patience()));
  earlier(whole(10));
  CHECK_FALSE(earlier.flush(patience()));
  RedisClient client(server.port());
  CHECK(client.hash(clips)["total"] == "20");
}

TEST_CASE("Redis: batches are in the order in which they began, not in which they came") {
  need_redis();
  RedisServer server;
  server.start();
  xofn::detail::RedisLink<> first(clips_at(server.port()));
  xofn::detail::RedisLink<> second(clips_at(server.port()));
  const auto now = std::chrono::steady_clock::now();
  second.send({snapshot(2, 20), 1, 1, now - 1h}, now + 1h);
  CHECK_THROWS_AS(first.send({snapshot(1, 10), 1, 1, now - 2h}, now + 1h), xofn::detail::Refused);
  RedisClient client(server.port());
  CHECK(client.hash(clips)["total"] == "20");
}

TEST_CASE("Redis: a batch is published also where the clock of the server was put back") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  client.ask({"HSET", clips, "batch", "8000000000000000", "sequence", "7"});
  const RedisChannel channel(clips_at(server.port()));
  channel(snapshot(1, 2));
  CHECK(channel.flush(patience()));
  CHECK(client.hash(clips)["batch"] == "8000000000000001");
}

TEST_CASE("Redis: batches with two names have nothing to do with each other") {
  need_redis();
  RedisServer server;
  server.start();
  RedisChannelOptions options = clips_at(server.port());
  const RedisChannel one(options);
  options.name = "songs";
  options.prefix = "";
  const RedisChannel other(options);
  one(whole(1));
  other(whole(2));
  CHECK(one.flush(patience()));
  CHECK(other.flush(patience()));
  RedisClient client(server.port());
  CHECK(client.hash(clips)["total"] == "1");
  CHECK(client.hash("songs")["total"] == "2");
  CHECK(client.hash("songs")["name"] == "songs");
}

TEST_CASE("Redis: a name may be any bytes, of which JSON gets what is text") {
  need_redis();
  RedisServer server;
  server.start();
  RedisChannelOptions options = clips_at(server.port());
  options.name = "clips \"\xff%s\"\n";
  const RedisChannel channel(options);
  RedisClient subscriber(server.port());
  subscriber.ask({"SUBSCRIBE", "xofn:" + options.name});
  channel(whole(1));
  CHECK(channel.flush(patience()));
  CHECK(subscriber.message()["name"] == "clips \"\xef\xbf\xbd%s\"\n");
}

TEST_CASE("Redis: users, passwords, databases and Unix sockets") {
  need_redis();
  RedisServer server({"--requirepass", "opensesame"});
  server.start();
  RedisChannelOptions options = clips_at(server.port());
  RedisClient client(server.port());
  client.ask({"AUTH", "opensesame"});
  client.ask({"ACL", "SETUSER", "teller", "on", ">simsim", "~xofn:*", "&xofn:*", "+select", "+time",
              "+hget", "+eval", "+hmget", "+del", "+hset", "+pexpire", "+publish"});

  SECTION("without a password the server's words are kept") {
    const RedisChannel channel(options);
    channel(whole(1));
    CHECK_FALSE(channel.flush(10ms));
    REQUIRE(eventually([&] { return channel.failed_attempts() >= 2; }));
    CHECK_THAT(channel.error(), ContainsSubstring("NOAUTH"));
  }
  SECTION("a password") {
    options.password = "opensesame";
    const RedisChannel channel(options);
    channel(whole(1));
    CHECK(channel.flush(patience()));
    CHECK(client.hash(clips)["total"] == "1");
  }
  SECTION("a user, and a database") {
    options.database = 3;
    options.user = "teller";
    options.password = "simsim";
    const RedisChannel channel(options);
    channel(whole(1));
    CHECK(channel.flush(patience()));
    CHECK(client.hash(clips).empty());
    client.ask({"SELECT", "3"});
    CHECK(client.hash(clips)["total"] == "1");
  }
  SECTION("a Unix socket") {
    options.password = "opensesame";
    options.port = 1;
    options.socket = server.socket();
    const RedisChannel channel(options);
    channel(whole(1));
    CHECK(channel.flush(patience()));
    CHECK(client.hash(clips)["total"] == "1");
    server.kill();
    channel(whole(2));
    REQUIRE(eventually([&] { return channel.failed_attempts() >= 2; }));
    CHECK_THAT(channel.error(), ContainsSubstring(server.socket()));
  }
}

TEST_CASE("Redis: what the server refuses is kept, and tried again") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  client.ask({"SET", clips, "something else"});
  const RedisChannel channel(clips_at(server.port()));
  channel(whole(1));
  REQUIRE(eventually([&] { return channel.failed_attempts() >= 3; }));
  CHECK_THAT(channel.error(), ContainsSubstring("WRONGTYPE"));
  client.ask({"DEL", clips});
  CHECK(channel.flush(patience()));
  CHECK(channel.error().empty());
}

TEST_CASE("Redis: the destructor of the last copy waits for the last state, and not for ever") {
  need_redis();
  RedisServer server;
  RedisChannelOptions options = clips_at(server.port());

  SECTION("a server that comes back while it waits") {
    options.linger = 1h;
    auto channel = std::make_unique<RedisChannel>(options);
    (*channel)(whole(7));
    REQUIRE(eventually([&] { return channel->failed_attempts() >= 2; }));
    std::thread end([&] { channel.reset(); });
    server.start();
    end.join();
    RedisClient client(server.port());
    CHECK(client.hash(clips)["completed"] == "7");
  }
  SECTION("a server that is there again before the next attempt") {
    options.backoff = 1h;
    options.linger = 1h;
    auto channel = std::make_unique<RedisChannel>(options);
    (*channel)(whole(7));
    REQUIRE(eventually([&] { return channel->failed_attempts() == 1; }));
    server.start();
    channel.reset();  // it does not sit out the pause
    RedisClient client(server.port());
    CHECK(client.hash(clips)["completed"] == "7");
  }
  SECTION("a server that does not come") {
    options.linger = GENERATE(0ms, 30ms);
    options.backoff = GENERATE(1ms, 3'600'000ms);
    const RedisChannel channel(options);
    channel(whole(7));
    CHECK_FALSE(channel.flush(1ms));
  }
  SECTION("one that has nothing to send") {
    options.linger = 1h;
    const RedisChannel channel(options);
    CHECK(channel.flush(0s));
  }
  SECTION("a processor that goes at once after its batch") {
    server.start();
    options.linger = 1h;
    {
      BatchProcessor<int> processor({.max_workers = 2});
      processor.on_progress(RedisChannel{options}, Delivery::latest());
      processor.run(numbers(9), [](int) {});
    }
    RedisClient client(server.port());
    CHECK(client.hash(clips)["completed"] == "9");
    CHECK(client.hash(clips)["state"] == "finished");
  }
}

TEST_CASE("Redis: copies are one channel, and what was moved from does nothing") {
  need_redis();
  RedisServer server;
  server.start();
  RedisClient client(server.port());
  RedisChannel first(clips_at(server.port()));
  {
    const RedisChannel copy = first;
    copy(snapshot(1, 3));
  }
  CHECK(first.flush(patience()));
  CHECK(client.hash(clips)["completed"] == "1");
  const std::string batch = client.hash(clips)["batch"];

  RedisChannel second = std::move(first);
  first(whole(9));  // NOLINT(bugprone-use-after-move)
  CHECK(first.flush(0s));
  CHECK(first.error().empty());
  CHECK(first.failed_attempts() == 0);
  second(whole(3));
  CHECK(second.flush(patience()));
  CHECK(client.hash(clips)["completed"] == "3");
  CHECK(client.hash(clips)["batch"] == batch);
  first = second;
  first(whole(4));
  CHECK(first.flush(patience()));
  CHECK(client.hash(clips)["completed"] == "4");
}

TEST_CASE("Redis: absurd options are refused with the value") {
  const auto refused = [](auto change) -> std::string {
    RedisChannelOptions options{.name = "clips"};
    change(options);
    try {
      const RedisChannel channel(options);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing was wrong";
  };
  using Options = RedisChannelOptions;
  CHECK(refused([](Options&) {}) == "nothing was wrong");
  CHECK_THAT(refused([](Options& o) { o.name = ""; }), ContainsSubstring("name is empty"));
  CHECK_THAT(refused([](Options& o) { o.host = ""; }), ContainsSubstring("host is empty"));
  for (const int port : {-1, 0, 65536}) {
    CHECK_THAT(refused([&](Options& o) { o.port = port; }),
               ContainsSubstring("port is " + std::to_string(port) + ","));
  }
  CHECK_THAT(refused([](Options& o) { o.database = -1; }), ContainsSubstring("database is -1"));
  CHECK_THAT(refused([](Options& o) { o.user = "teller"; }), ContainsSubstring("user is teller"));
  CHECK_THAT(refused([](Options& o) { o.expiry = 999ms; }),
             ContainsSubstring("expiry is 999000000 ns"));
  CHECK_THAT(refused([](Options& o) { o.expiry = 24h * 4000; }), ContainsSubstring("expiry is "));
  CHECK_THAT(refused([](Options& o) { o.timeout = 0ms; }), ContainsSubstring("timeout is 0 ns"));
  CHECK_THAT(refused([](Options& o) { o.timeout = 61min; }), ContainsSubstring("timeout is "));
  CHECK_THAT(refused([](Options& o) { o.backoff = -1ns; }), ContainsSubstring("backoff is -1 ns"));
  CHECK_THAT(refused([](Options& o) { o.linger = -1ns; }), ContainsSubstring("linger is -1 ns"));
  CHECK_THAT(refused([](Options& o) { o.linger = 61min; }), ContainsSubstring("linger is "));
}
