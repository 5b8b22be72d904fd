// SPDX-License-Identifier: MIT
// xofn, read "X of N": run N jobs on several threads and be told, correctly, that X of them are
// done.
#pragma once

// Door 1: count. A counter for many threads: by a mutex, by an atomic, or sharded.
#include <xofn/thread_safe_counter.hpp>

// Door 2: tell. X of N, each step once and in order, for threads of your own.
#include <xofn/progress_tracker.hpp>

// Door 3: run. A batch of tasks on a pool, with results, failures and progress.
#include <xofn/batch_processor.hpp>

#include <xofn/version.hpp>
