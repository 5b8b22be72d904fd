// SPDX-License-Identifier: MIT
// The newest state on its way to a front end.
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <xofn/publish/publisher.hpp>
#include <xofn/publish/table_book.hpp>

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

using Book = xofn::detail::TableBook<ScheduledSync>;

/// Takes from a book what is to be written, an item at a time.
class BookLink {
 public:
  BookLink(Book& book, Arrivals& arrivals) : book_(&book), arrivals_(&arrivals) {}

  void send(const PublishedState<ScheduledSync>&, ScheduledClock::time_point) {
    std::uint64_t left = 0;
    do {
      const auto page = book_->page(1);
      here();
      const std::uint64_t completed = page.progress.completed();
      if (completed < arrivals_->completed.read()) arrivals_->is_right = false;
      if (page.unlisted != 0) arrivals_->is_right = false;
      if (xofn::detail::is_final(page.progress) && page.left != 0) arrivals_->is_right = false;
      arrivals_->completed.write(completed);
      book_->note(page);
      left = page.left;
    } while (left != 0);
  }

 private:
  Book* book_;
  Arrivals* arrivals_;
};

using BookPublisher = xofn::detail::Publisher<BookLink, ScheduledSync>;

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

const Scenario listed{"publish: items are written, whether they or their number are told first", 2,
                      [] {
                        Arrivals arrivals;
                        Book book;
                        bool has_arrived = false;
                        {
                          BookPublisher publisher(times, BookLink{book, arrivals});
                          {
                            const ScheduledThread latest([&] {
                              book.tell_rest(step(1, 2));
                              publisher.put(step(1, 2));
                            });
                            book.begin_item(0, 1, {});
                            book.begin_item(1, 1, {});
                            if (book.settle_item(0, std::nullopt, 1, 1ms, step(1, 2))) {
                              publisher.put(step(1, 2));
                            }
                          }
                          has_arrived = publisher.flush(1h);
                        }
                        if (has_arrived) check(arrivals.completed.read() == 1, "the item");
                        check(arrivals.is_right, "rows agree, and never go back");
                      }};

}  // namespace schedules::publish_scenarios
