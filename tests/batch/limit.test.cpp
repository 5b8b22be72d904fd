// SPDX-License-Identifier: MIT
#include <xofn/batch/limit.hpp>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using xofn::StdSync;
using xofn::detail::Called;
using xofn::detail::Urgency;
using Limit = xofn::detail::Limit<StdSync>;
using Request = Limit::Request;
using Applicant = xofn::detail::Applicant<StdSync>;
using Holdings = xofn::detail::Holdings<StdSync>;
using Share = xofn::detail::Share<StdSync>;

namespace {

struct Crew final : Called {
  void call() noexcept override { ++calls; }
  int calls = 0;
};

/// A batch that asks for shares of one limit.
struct Contender {
  explicit Contender(Limit& l, std::uint64_t need, std::shared_ptr<Holdings> outer = nullptr)
      : limit(l), request(applicant, outer), running(std::make_shared<Holdings>(std::move(outer))) {
    request.need = need;
  }

  /// Begins an item if it can, else queues.
  bool begin() {
    const bool can = limit.has(request);
    if (can) {
      limit.take(request, share());
      limit.leave(request);
    } else {
      limit.queue(request);
    }
    return can;
  }
  void end() { limit.give_back(share()); }
  Share& share() { return running->shares()[0]; }

  Limit& limit;
  std::shared_ptr<Crew> crew = std::make_shared<Crew>();
  Applicant applicant{crew, Urgency::none};
  Request request;
  std::shared_ptr<Holdings> running;
};

/// Calls all that are to be called.
void call_all(Limit& limit) {
  while (const auto crew = limit.next_to_call()) crew->call();
}

}  // namespace

TEST_CASE("a limit gives of the part that is used the least in proportion") {
  Limit limit({{"a", 1}, {"b", 3}, {"c", 2}});
  std::string parts;
  std::list<Contender> batches;
  for (int i = 0; i < 6; ++i) {
    REQUIRE(batches.emplace_back(limit, 1).begin());
    parts += limit.parts()[batches.back().share().part].name;
  }
  CHECK(parts == "abcbcb");  // of equal ones the first
  CHECK_FALSE(Contender(limit, 1).limit.has(batches.back().request));
  CHECK(limit.in_use() == 6);
  batches.front().end();
  Contender next(limit, 1);
  CHECK(next.begin());
  CHECK(next.share().part == 0);
}

TEST_CASE("who waits is served in turn, and who comes later does not go first") {
  Limit limit({{"", 4}});
  Contender running(limit, 3);
  Contender big(limit, 4);
  Contender small(limit, 1);
  REQUIRE(running.begin());
  CHECK_FALSE(big.begin());
  CHECK_FALSE(small.begin());  // though there is room for it
  call_all(limit);
  CHECK(small.crew->calls == 0);
  running.end();
  call_all(limit);
  call_all(limit);
  CHECK(big.crew->calls == 1);  // once for what has changed
  CHECK(small.crew->calls == 0);
  CHECK(big.applicant.item() == Applicant::Item::called);
  CHECK_FALSE(small.begin());
  REQUIRE(big.begin());
  call_all(limit);
  CHECK(small.crew->calls == 0);
  big.end();
  call_all(limit);
  CHECK(small.crew->calls == 1);
  CHECK(small.begin());
}

TEST_CASE("who leaves the queue lets the others go on") {
  Limit limit({{"", 4}});
  Contender running(limit, 1);
  Contender big(limit, 4);
  Contender small(limit, 1);
  REQUIRE(running.begin());
  CHECK_FALSE(big.begin());
  CHECK_FALSE(small.begin());
  limit.leave(big.request);
  limit.leave(big.request);
  call_all(limit);
  CHECK(small.crew->calls == 1);
  CHECK(small.begin());
}

TEST_CASE("who leaves the queue, from anywhere, and comes again is behind the others") {
  const std::size_t leaver = GENERATE(0U, 1U, 2U);
  Limit limit({{"", 4}});
  Contender running(limit, 4);
  std::array<Contender, 3> waiting{Contender(limit, 4), Contender(limit, 4), Contender(limit, 4)};
  REQUIRE(running.begin());
  for (Contender& one : waiting) CHECK_FALSE(one.begin());
  limit.leave(waiting[leaver].request);
  CHECK_FALSE(waiting[leaver].begin());
  std::vector<Contender*> turns;
  for (Contender& one : waiting) {
    if (&one != &waiting[leaver]) turns.push_back(&one);
  }
  turns.push_back(&waiting[leaver]);
  running.end();
  for (std::size_t turn = 0; turn != turns.size(); ++turn) {
    for (std::size_t later = turn + 1; later != turns.size(); ++later) {
      CHECK_FALSE(turns[later]->begin());
    }
    call_all(limit);
    CHECK(turns[turn]->crew->calls == 1);
    REQUIRE(turns[turn]->begin());
    turns[turn]->end();
  }
}

TEST_CASE("who keeps a thread waiting passes by those who may have none, and by no others") {
  Limit limit({{"", 4}});
  Contender running(limit, 2);
  Contender unsure(limit, 4);
  Contender sure(limit, 4);
  Contender first(limit, 3);
  Contender second(limit, 1);
  REQUIRE(running.begin());
  CHECK_FALSE(unsure.begin());
  sure.applicant.add(Urgency::sure);
  CHECK_FALSE(sure.begin());
  first.applicant.add(Urgency::thread);
  CHECK_FALSE(first.begin());
  second.applicant.add(Urgency::thread);
  CHECK_FALSE(second.begin());  // behind one like it
  SECTION("who is sure to come has its turn") {
    limit.leave(unsure.request);
    running.end();
    call_all(limit);
    CHECK(sure.crew->calls == 1);
    CHECK(first.crew->calls == 0);
    CHECK_FALSE(first.begin());
    CHECK(sure.begin());
  }
  SECTION("so has who is not, until somebody passes by") {
    running.end();
    call_all(limit);
    CHECK(unsure.crew->calls == 1);
    CHECK(sure.crew->calls == 0);
    CHECK(first.crew->calls == 1);
    CHECK_FALSE(sure.begin());
    CHECK(first.begin());
    CHECK_FALSE(unsure.begin());
    CHECK(second.begin());
    first.end();
    second.end();
    CHECK_FALSE(sure.begin());
    CHECK(unsure.begin());
  }
}

TEST_CASE("who keeps limits waiting does not wait for its turn") {
  Limit limit({{"", 4}});
  Contender running(limit, 2);
  Contender big(limit, 4);
  Contender small(limit, 1);
  REQUIRE(running.begin());
  big.applicant.add(Urgency::holdings);
  small.applicant.add(Urgency::holdings);
  CHECK_FALSE(big.begin());
  CHECK(small.begin());
  Contender late(limit, 1);
  CHECK_FALSE(late.begin());
  big.applicant.remove(Urgency::holdings);
  small.applicant.remove(Urgency::holdings);
  CHECK_FALSE(late.begin());
}

TEST_CASE("a turn that changes with who waits is seen when it is looked for again") {
  Limit limit({{"", 4}});
  Contender running(limit, 1);
  Contender big(limit, 4);
  Contender small(limit, 1);
  REQUIRE(running.begin());
  CHECK_FALSE(big.begin());
  small.applicant.add(Urgency::thread);
  REQUIRE(small.begin());
  small.end();
  big.applicant.add(Urgency::sure);
  CHECK_FALSE(small.begin());
  big.applicant.remove(Urgency::sure);
  limit.reconsider();
  call_all(limit);
  CHECK(small.crew->calls == 1);
  CHECK(small.begin());
}

TEST_CASE("an item lends its share, to one at a time") {
  Limit limit({{"", 4}});
  Contender outer(limit, 4);
  REQUIRE(outer.begin());
  Contender inner(limit, 3, outer.running);
  Contender second(limit, 1, outer.running);
  CHECK(limit.most_for(inner.request) == 4);
  REQUIRE(inner.begin());
  CHECK(limit.in_use() == 4);
  CHECK_FALSE(second.begin());
  Contender innermost(limit, 3, inner.running);
  CHECK(limit.most_for(innermost.request) == 3);
  REQUIRE(innermost.begin());
  innermost.end();
  call_all(limit);
  CHECK(second.crew->calls == 0);
  inner.end();
  call_all(limit);
  CHECK(second.crew->calls == 1);
  CHECK(second.begin());
  second.end();
  outer.end();
  CHECK(limit.in_use() == 0);
}

TEST_CASE("more than one inner item runs when there is room, in turn") {
  Limit limit({{"a", 3}});
  Contender outer(limit, 1);
  REQUIRE(outer.begin());
  Contender one(limit, 1, outer.running);
  Contender two(limit, 1, outer.running);
  Contender three(limit, 1, outer.running);
  two.applicant.add(Urgency::holdings);
  three.applicant.add(Urgency::holdings);
  REQUIRE(one.begin());
  REQUIRE(two.begin());
  CHECK(limit.in_use() == 2);
  Contender big(limit, 3);
  CHECK_FALSE(big.begin());
  CHECK_FALSE(three.begin());  // its turn is behind the big one's, and the loan will come
  one.end();
  CHECK(three.begin());
  CHECK(limit.in_use() == 2);
  two.end();
  three.end();
  outer.end();
  CHECK(limit.in_use() == 0);
  CHECK(big.begin());
}

TEST_CASE("what is lent when its item ends is given back by the last who has it") {
  Limit limit({{"", 4}});
  Contender outer(limit, 2);
  REQUIRE(outer.begin());
  Contender inner(limit, 2, outer.running);
  REQUIRE(inner.begin());
  Contender innermost(limit, 1, inner.running);
  REQUIRE(innermost.begin());
  outer.end();
  inner.end();
  CHECK(limit.in_use() == 2);
  Contender next(limit, 2, inner.running);
  CHECK(limit.most_for(next.request) == 4);  // nobody lends to it any more
  Contender all(limit, 4);
  CHECK_FALSE(all.begin());
  innermost.end();
  CHECK(limit.in_use() == 0);
  call_all(limit);
  CHECK(all.crew->calls == 1);
  CHECK(all.begin());
}

TEST_CASE("a share of one limit is not lent to who needs another") {
  Limit limit({{"", 1}});
  Limit other({{"", 1}});
  Contender outer(limit, 1);
  REQUIRE(outer.begin());
  Contender inner(other, 1, outer.running);
  REQUIRE(inner.begin());
  CHECK(inner.share().lender == nullptr);
  Contender innermost(limit, 1, inner.running);  // past the one between
  CHECK(innermost.begin());
  CHECK(innermost.share().lender != nullptr);
}
