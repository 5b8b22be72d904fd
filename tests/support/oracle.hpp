// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include <xofn/delivery/progress.hpp>

#include "recorder.hpp"

/// What is wrong with what was told, in words; an empty text when nothing is.
namespace support {

inline std::string describe(const xofn::Progress& p) {
  std::ostringstream text;
  text << p.completed() << '/' << p.total << (p.total_is_final ? "" : "+") << " (succeeded "
       << p.succeeded << ", failed " << p.failed << ", cancelled " << p.cancelled << ", running "
       << p.running << ", " << to_string(p.state) << ')';
  return text.str();
}

inline bool is_final(const xofn::Progress& p) {
  return p.state == xofn::BatchState::finished || p.state == xofn::BatchState::cancelled;
}

/// C1 and what follows from it, for one snapshot, told or read.
inline std::string wrong_snapshot(const xofn::Progress& p) {
  std::uint64_t left = p.total;
  for (const std::uint64_t part : {p.succeeded, p.failed, p.cancelled, p.running}) {
    if (part > left) return "C1: the parts exceed the total: " + describe(p);
    left -= part;
  }
  if (p.queued() != left) return "C1: queued is not the rest: " + describe(p);
  if (p.completed() != p.succeeded + p.failed) return "C1: X is wrong: " + describe(p);
  if ((p.state == xofn::BatchState::cancelled) != (p.cancelled > 0)) {
    return "C12: cancelled without a cancelled item, or the reverse: " + describe(p);
  }
  if (p.state == xofn::BatchState::finished && (p.completed() != p.total || !p.total_is_final)) {
    return "C1: finished before N/N: " + describe(p);
  }
  if ((p.percent() == 100) != (p.completed() == p.total && p.total_is_final)) {
    return "100 % is shown when it is not N/N, or the reverse: " + describe(p);
  }
  if (p.elapsed < p.elapsed.zero()) return "the time elapsed is negative";
  return {};
}

/// What no two snapshots may do that one reader gets one after the other.
inline std::string wrong_step(const xofn::Progress& before, const xofn::Progress& after) {
  const std::string both = describe(before) + " and then " + describe(after);
  if (after.completed() < before.completed()) return "X falls: " + both;
  if (after.succeeded < before.succeeded) return "succeeded falls: " + both;
  if (after.failed < before.failed) return "failed falls: " + both;
  if (after.cancelled < before.cancelled) return "cancelled falls: " + both;
  if (after.total < before.total) return "the total falls: " + both;
  if (before.total_is_final && !after.total_is_final)
    return "the total is no longer final: " + both;
  if (before.total_is_final && after.total != before.total) return "a final total changes: " + both;
  if (after.elapsed < before.elapsed) return "the time runs backwards: " + both;
  return {};
}

/// What holds for every delivery: `last` is what the batch is known to have come to.
inline std::string wrong_telling(const Recorder& recorder, const xofn::Progress& last) {
  if (recorder.overlaps() != 0) return "C4: calls of one callback overlapped";
  if (recorder.late() != 0) return "C6: called after the end";
  const auto& calls = recorder.calls();
  if (calls.empty()) return "C6: nothing was told, not even the final state";
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const xofn::Progress& told = calls[i].progress;
    if (std::string wrong = wrong_snapshot(told); !wrong.empty()) return wrong;
    if (i > 0) {
      if (std::string wrong = wrong_step(calls[i - 1].progress, told); !wrong.empty()) return wrong;
    }
    const bool is_last = i + 1 == calls.size();
    if (!is_last && is_final(told)) return "C6: a call follows the final state: " + describe(told);
    const bool is_paused = told.state == xofn::BatchState::paused && recorder.may_see_pauses();
    if (!is_last && told.state != xofn::BatchState::running && !is_paused) {
      return "not running: " + describe(told);
    }
    if (is_last && !is_final(told)) return "C6: the final state was not told: " + describe(told);
  }
  xofn::Progress told = calls.back().progress;
  told.elapsed = last.elapsed;
  if (told != last) {
    return "C6: the last word is " + describe(told) + " but it came to " + describe(last);
  }
  if (last.running != 0 || last.queued() != 0) return "C6: ended too early: " + describe(last);
  return {};
}

/// C2: 1, 2, ..., X, each once; one call more only where the batch ended short of N/N or N is 0, or
/// an open one was closed when all had been told.
inline std::string wrong_every(const Recorder& recorder, const xofn::Progress& last) {
  if (std::string wrong = wrong_telling(recorder, last); !wrong.empty()) return wrong;
  const auto& calls = recorder.calls();
  const std::uint64_t x = last.completed();
  const bool whole = x == last.total && x > 0;
  const bool is_open_end = recorder.may_see_open_end() && calls.size() > x;
  const std::uint64_t expected = whole && !is_open_end ? x : x + 1;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::uint64_t due = std::min<std::uint64_t>(i + 1, x);
    if (calls[i].progress.completed() != due) {
      return "C2: call " + std::to_string(i + 1) + " told " + describe(calls[i].progress) +
             " where X = " + std::to_string(due) + " was due";
    }
  }
  if (calls.size() != expected) {
    return "C2: " + std::to_string(calls.size()) + " calls instead of " + std::to_string(expected) +
           " for " + describe(last);
  }
  return {};
}

/// C3: the start, changes at least an interval apart, the final state once.
inline std::string wrong_latest(const Recorder& recorder, const xofn::Progress& last,
                                std::chrono::nanoseconds interval) {
  if (std::string wrong = wrong_telling(recorder, last); !wrong.empty()) return wrong;
  const auto& calls = recorder.calls();
  const xofn::Progress& first = calls.front().progress;
  if (first.completed() != 0 || first.cancelled != 0 || (last.total > 0 && is_final(first))) {
    return "C3: the first call is not the start: " + describe(first);
  }
  for (std::size_t i = 1; i < calls.size(); ++i) {
    const xofn::Progress& before = calls[i - 1].progress;
    const xofn::Progress& told = calls[i].progress;
    if (told.completed() == before.completed() && told.total == before.total &&
        told.total_is_final == before.total_is_final && told.state == before.state &&
        told.weight_completed == before.weight_completed &&
        told.weight_total == before.weight_total) {
      return "C3: told without a change: " + describe(told);
    }
    if (is_final(told)) continue;
    // A thread may lose the processor between the library's clock and the callback's, so that two
    // calls seem nearer than they were. Never nearer by both clocks, nor too many since the start.
    const auto slack = std::chrono::milliseconds{1};
    const bool near = calls[i].at - calls[i - 1].at + slack < interval;
    if (near && told.elapsed - before.elapsed + slack < interval) {
      return "C3: less than an interval lies between " + describe(before) + " and " +
             describe(told);
    }
    if (calls[i].at - recorder.since() < static_cast<std::int64_t>(i) * interval) {
      return "C3: call " + std::to_string(i + 1) + " came before its time";
    }
  }
  return {};
}

}  // namespace support
