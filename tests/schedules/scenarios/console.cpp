// SPDX-License-Identifier: MIT
// What is seen of several batches at once.
#include <atomic>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <xofn/console/progress_bars.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::console_scenarios {

using Bars = xofn::BasicProgressBars<ScheduledSync>;

constexpr xofn::ProgressBarOptions forty_columns{.style = xofn::BarStyle::terminal, .width = 40};

/// Where frames go; races are found.
class Frames : public std::streambuf {
 public:
  [[nodiscard]] bool last_has(const char* text) const {
    return last_.read().find(text) != std::string::npos;
  }
  /// While others may write.
  [[nodiscard]] bool has_line() const { return has_line_.load(std::memory_order_relaxed); }

 private:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::string frame(text, static_cast<std::size_t>(size));
    here();
    last_.write(frame);
    here();
    // relaxed: what is seen of it is what the calls of the bars make visible
    if (frame.find('\n') < frame.size()) has_line_.store(true, std::memory_order_relaxed);
    return size;
  }

  Data<std::string> last_;
  ScheduledSync::atomic<bool> has_line_{false};
};

xofn::Progress half(xofn::BatchState state = xofn::BatchState::running) {
  xofn::Progress progress;
  progress.total = 2;
  progress.succeeded = 1;
  progress.state = state;
  return progress;
}

const Scenario receipt{"bars: a receipt is written when its call returns", 3, [] {
                         Frames frames;
                         std::ostream out(&frames);
                         Bars bars(out, forty_columns);
                         const auto a = bars.add("a");
                         const auto b = bars.add("b");
                         const ScheduledThread other([&] { a(half()); });
                         b(half(xofn::BatchState::cancelled));
                         check(frames.has_line(), "the receipt is there");
                       }};

const Scenario news{"bars: news that come while another thread writes are written", 3, [] {
                      Frames frames;
                      std::ostream out(&frames);
                      Bars bars(out, forty_columns);
                      const auto a = bars.add("a");
                      const auto b = bars.add("b");
                      {
                        const ScheduledThread other([&] { a(half()); });
                        b(half());
                      }
                      check(frames.last_has("a [#####.....]"), "the one");
                      check(frames.last_has("b [#####.....]"), "the other");
                    }};

const Scenario end{"bars: their end, while another thread tells them something", 3, [] {
                     Frames frames;
                     std::ostream out(&frames);
                     Bars* const bars = new Bars(out, forty_columns);
                     const auto a = bars->add("a");
                     const ScheduledThread other([&] { a(half()); });
                     bars->println("a line");
                     delete bars;
                     check(frames.has_line(), "the line is there");
                   }};

}  // namespace schedules::console_scenarios
