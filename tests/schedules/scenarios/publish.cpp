// SPDX-License-Identifier: MIT
// The newest state on its way to a front end.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <xofn/publish/publisher.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::publish_scenarios {

using namespace std::chrono_literals;
using xofn::detail::PublishedState;
using xofn::detail::Refused;

/// Where states arrive; races are found.
struct Arrivals {
  Data<std::uint64_t> completed{};
  Data<std::uint64_t> sequence{};
  int failures = 0;  ///< before one arrives
  bool is_right = true;
};

class Link {
 public:
  explicit Link(Arrivals& arrivals) : arrivals_(&arrivals) {}

  void send(const PublishedState<ScheduledSync>& state, ScheduledClock::time_point) {
    here();
    if (arrivals_->failures > 0) {
      --arrivals_->failures;
      throw std::runtime_error("nobody is there");
    }
    if (state.sequence <= arrivals_->sequence.read()) arrivals_->is_right = false;
    arrivals_->sequence.write(state.sequence);
    arrivals_->completed.write(state.progress.completed());
  }

 private:
  Arrivals* arrivals_;
};

using Publisher = xofn::detail::Publisher<Link, ScheduledSync>;

constexpr xofn::detail::PublishingTimes times{
    .timeout = 1s, .backoff = 1ms, .longest_backoff = 2ms, .linger = 1h, .renewal = 24h};

xofn::Progress step(std::uint64_t completed, std::uint64_t total) {
  xofn::Progress progress;
  progress.total = total;
  progress.succeeded = completed;
  if (completed == total) progress.state = xofn::BatchState::finished;
  return progress;
}

const Scenario last{"publish: the last state arrives before its publisher is gone", 3, [] {
                      Arrivals arrivals;
                      {
                        Publisher publisher(times, Link{arrivals});
                        publisher.put(step(1, 2));
                        here();
                        publisher.put(step(2, 2));
                      }
                      check(arrivals.completed.read() == 2, "the last");
                      check(arrivals.is_right, "never an older one");
                    }};

const Scenario failing{"publish: the last state arrives though attempts fail", 2, [] {
                         Arrivals arrivals{.failures = 2};
                         {
                           Publisher publisher(times, Link{arrivals});
                           publisher.put(step(1, 2));
                           here();
                           publisher.put(step(2, 2));
                         }
                         check(arrivals.completed.read() == 2, "the last");
                         check(arrivals.is_right, "never an older one");
                       }};

const Scenario flushed{"publish: what was flushed has arrived", 2, [] {
                         Arrivals arrivals;
                         Publisher publisher(times, Link{arrivals});
                         publisher.put(step(1, 1));
                         const bool has_arrived = publisher.flush(1h);
                         if (has_arrived) check(arrivals.completed.read() == 1, "it is there");
                       }};

}  // namespace schedules::publish_scenarios
