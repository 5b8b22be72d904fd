// SPDX-License-Identifier: MIT
// The lines of a log on their way to its sink.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <xofn/publish/log_queue.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace {

using namespace schedules;
using namespace std::chrono_literals;
using xofn::LogEvent;
using xofn::LogEventKind;
using xofn::LogOptions;
using xofn::detail::AnyLogSink;

/// What has been written; races are found.
struct Written {
  Data<std::uint64_t> lines{0};
  Data<std::uint64_t> last{0};  ///< the index of the last one
  Data<std::uint64_t> said_lost{0};
  int failures = 0;  ///< before one is written
  bool is_right = true;
};

class Sink {
 public:
  explicit Sink(Written& written) : written_(&written) {}

  void write(const LogEvent& event) {
    here();
    if (written_->failures > 0) {
      --written_->failures;
      throw std::runtime_error("nobody is there");
    }
    if (event.kind == LogEventKind::lines_lost) {
      written_->said_lost.add(event.lost_lines);
    } else {
      if (*event.index <= written_->last.read()) written_->is_right = false;
      written_->last.write(*event.index);
      written_->lines.add(1);
    }
  }

  void flush() { here(); }

 private:
  Written* written_;
};

using Queue = xofn::detail::LogQueue<ScheduledSync>;

LogEvent line(std::uint64_t index) {
  LogEvent event;
  event.kind = LogEventKind::item_started;
  event.index = index;
  return event;
}

const Scenario all{"log: all lines are written before their log is gone", 3, [] {
                     Written written;
                     {
                       Queue queue(AnyLogSink(std::in_place, Sink(written)),
                                   LogOptions{.linger = 1h});
                       queue.put(line(1));
                       here();
                       queue.put(line(2));
                     }
                     check(written.lines.read() == 2 && written.is_right, "both, in order");
                   }};

const Scenario failing{"log: what cannot be written is said to be lost", 2, [] {
                         Written written{.failures = 1};
                         {
                           Queue queue(AnyLogSink(std::in_place, Sink(written)),
                                       LogOptions{.linger = 1h});
                           queue.put(line(1));
                           here();
                           queue.put(line(2));
                         }
                         check(written.lines.read() + written.said_lost.read() == 2, "each");
                       }};

const Scenario flushed{"log: what was flushed is written", 2, [] {
                         Written written;
                         Queue queue(AnyLogSink(std::in_place, Sink(written)),
                                     LogOptions{.linger = 1h});
                         queue.put(line(1));
                         const bool is_written = queue.flush(1h);
                         if (is_written) check(written.lines.read() == 1, "it is there");
                       }};

const Scenario closed{"log: who is told after the log is gone is heard no more", 2, [] {
                        Written written;
                        {
                          Queue queue(AnyLogSink(std::in_place, Sink(written)),
                                      LogOptions{.linger = 1h});
                          ScheduledThread other([&] { queue.put(line(1)); });
                          queue.close();
                          queue.put(line(2));
                        }
                        check(written.lines.read() <= 1 && written.last.read() <= 1, "in time");
                      }};

}  // namespace
