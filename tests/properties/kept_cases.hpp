// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "batch_scenario.hpp"
#include "counter_scenario.hpp"
#include "tracker_scenario.hpp"

// Scenarios that are run each time, and not only if chance has it: those that once failed, as they
// were printed, with a word on what was wrong, and some that chance is slow to come to.

namespace properties {

inline const std::vector<BatchScenario> kept_batches{
    // nothing at all, told in every way
    {.starts = true,
     .every = true,
     .every_on_caller = true,
     .latest = true,
     .latest_on_caller = true,
     .completions = true},
    // every call throws while the batch is cancelled and read
    {.shaky = true,
     .pool = Pool::shared,
     .workers = 8,
     .starts = true,
     .items = 300,
     .canceller = Steerer::another_thread,
     .cancel_at = 100,
     .every = true,
     .latest = true,
     .completions = true,
     .callbacks_throw_every = 1,
     .watched = true},
    // batches within batches on the one thread of a pool
    {.shaky = true,
     .pool = Pool::one_thread,
     .workers = 4,
     .starts = true,
     .items = 20,
     .nested_every = 2,
     .nested_depth = 3,
     .nested_items = 4,
     .canceller = Steerer::task,
     .cancel_at = 10,
     .every = true},
    // did not end, once in some ten thousand times: who waits looked for work and left, as the
    // last, when the one worker had come and gone in between
    {.shaky = true,
     .pool = Pool::one_thread,
     .workers = 8,
     .starts = true,
     .items_in = Items::proxies,
     .items = 22,
     .slow = {5, 7, 16},
     .every = true},
    // steered from all sides: paused by a callback, tried again, streamed in order, left and gone
    // on with
    {.shaky = true,
     .pool = Pool::shared,
     .workers = 4,
     .starts = true,
     .items = 200,
     .failing = {0, 1, 2, 50, 51, 52},
     .every = true,
     .completions = true,
     .attempts = 3,
     .backs_off = true,
     .in_order = true,
     .tells_starts = true,
     .pauser = Steerer::callback,
     .pause_every = 20,
     .streams = true,
     .leaves_stream_every = 30},
    // an open batch with one place to wait in, to which its tasks add while it is closed: an item
    // that came too late was refused as if somebody had cancelled
    {.shaky = true,
     .workers = 2,
     .starts = true,
     .items = 100,
     .every = true,
     .streams = true,
     .opens = true,
     .tasks_add_every = 2,
     .max_queued = 1},
    // items that are always late are tried again by other workers: the last state that was told had
    // not all of their retries
    {.shaky = true,
     .workers = 7,
     .items = 40,
     .every = true,
     .attempts = 3,
     .timeout = Timeout::at_once,
     .weighs = true},
    // an open batch that its errors have stopped when all it had was run gave no reason for taking
    // no more
    {.shaky = true,
     .workers = 4,
     .starts = true,
     .items = 60,
     .failing = {1, 5, 9},
     .completions = true,
     .opens = true,
     .bears = Bears::none},
    // all limits at once, of which some items need more than there is
    {.shaky = true,
     .pool = Pool::shared,
     .workers = 4,
     .starts = true,
     .items = 100,
     .failing = {0, 1, 2, 50, 51, 52},
     .nested_every = 20,
     .nested_depth = 2,
     .nested_items = 3,
     .every = true,
     .completions = true,
     .slots = 2,
     .attempts = 2,
     .in_order = true,
     .timeout = Timeout::late,
     .weighs = true,
     .memory = 3},
    // an item pauses what another thread is about to cancel: the worker went on with what it held
    {.shaky = true,
     .pool = Pool::thread_per_call,
     .workers = 1,
     .starts = true,
     .items_in = Items::generated,
     .items = 20,
     .failing = {21, 19, 5},
     .canceller = Steerer::another_thread,
     .cancel_at = 12,
     .every = true,
     .every_on_caller = true,
     .completions = true,
     .pauser = Steerer::task,
     .pause_every = 14,
     .opens = true},
};

inline const std::vector<TrackerScenario> kept_trackers{
    // the last item, one more to come, and the end, all at once
    {.shaky = true,
     .total = 1,
     .threads = {{{TrackerStep::succeed, 1}},
                 {{TrackerStep::add_total, 1}},
                 {{TrackerStep::cancel_rest, 1}}},
     .every = true,
     .every_on_caller = true,
     .latest = true},
};

inline const std::vector<CounterScenario> kept_counters{
    // drained while others count
    {.shaky = true,
     .counting = Counting::sharded,
     .threads = {{{CounterStep::increment, 5}, {CounterStep::increment, 5}},
                 {{CounterStep::reset, 0}, {CounterStep::reset, 0}},
                 {{CounterStep::decrement, 3}, {CounterStep::reset, 7}}}},
};

}  // namespace properties
