// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <memory>
#include <utility>
#include <xofn/publish/log_event.hpp>

namespace xofn {

/// Where a Log writes. `write` writes a line or throws, and then the line is lost; `flush` is
/// called behind one or more of them, and throws if they have not arrived. Both are called by one
/// thread, that of the log. When the Log is gone, so is its sink.
template <class S>
concept LogSink = std::move_constructible<S> && requires(S& sink, const LogEvent& event) {
  sink.write(event);
  sink.flush();
};

namespace detail {

/// A sink, whatever its type is.
class AnyLogSink {
 public:
  template <LogSink S>
  AnyLogSink(std::in_place_t, S sink) : sink_(std::make_unique<Holder<S>>(std::move(sink))) {}

  void write(const LogEvent& event) { sink_->write(event); }
  void flush() { sink_->flush(); }

 private:
  struct Sink {
    virtual ~Sink() = default;
    virtual void write(const LogEvent& event) = 0;
    virtual void flush() = 0;
  };

  template <class S>
  struct Holder final : Sink {
    explicit Holder(S held) : sink(std::move(held)) {}
    void write(const LogEvent& event) override { sink.write(event); }
    void flush() override { sink.flush(); }
    S sink;
  };

  std::unique_ptr<Sink> sink_;
};

}  // namespace detail
}  // namespace xofn
