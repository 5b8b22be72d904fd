// SPDX-License-Identifier: MIT
// The lines of a log on their way to its sink.
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>
#include <xofn/batch_processor.hpp>
#include <xofn/publish/log.hpp>
#include <xofn/publish/log_queue.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::log_scenarios {

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

/// Looks whether lines come batch by batch, each with its start and its end.
class Batches {
 public:
  explicit Batches(Written& written) : written_(&written) {}

  void write(const LogEvent& event) {
    const bool is_start = event.kind == LogEventKind::batch_started;
    if (is_start) written_->last.add(1);
    if (is_start == is_open_ || event.run != written_->last.read()) written_->is_right = false;
    is_open_ =
        event.kind != LogEventKind::batch_finished && event.kind != LogEventKind::batch_cancelled;
    if (!is_open_) written_->lines.add(1);
  }

  void flush() {}

 private:
  Written* written_;
  bool is_open_ = false;
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
                          check(queue.flush(0ns), "nothing waits");
                        }
                        check(written.lines.read() <= 1 && written.last.read() <= 1, "in time");
                      }};

const Scenario batches{"log: batches that are paused and end begin and end there, one by one", 2,
                       [] {
                         Written written;
                         {
                           using Processor = xofn::BatchProcessor<int, ScheduledSync>;
                           xofn::BasicLog<ScheduledSync> log(Batches(written), {.linger = 1h});
                           Processor processor{{.max_workers = 1}};
                           log_to(processor, log, "clips");
                           for (int round = 0; round != 2; ++round) {
                             auto batch = processor.start(std::vector{0}, [](int&) { here(); });
                             batch.pause();
                             here();
                             batch.cancel();
                             batch.wait();
                           }
                         }
                         check(written.is_right, "a start, and an end");
                         check(written.lines.read() == 2 && written.last.read() == 2, "both");
                       }};

}  // namespace schedules::log_scenarios
