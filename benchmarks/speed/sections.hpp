// SPDX-License-Identifier: MIT
#pragma once

#include "contest.hpp"
#include "results.hpp"

/// What is measured, each in a file of its own. Promises are numbered P1 to P14.
namespace speed {

void tell_empty_items(const Effort& effort, Results& results);     // P1
void tell_against_peers(const Effort& effort, Results& results);   // P2, P3
void run_against_peers(const Effort& effort, Results& results);    // P4
void tell_slow_callbacks(const Effort& effort, Results& results);  // P5, P6
void count(const Effort& effort, Results& results);                // P7, P8
void take_memory(const Effort& effort, Results& results);          // P9, P10
void start_and_end(const Effort& effort, Results& results);        // P11
void compile(const Effort& effort, Results& results);              // P12
void grow(const Effort& effort, Results& results);                 // P13
void take_no_hostage(const Effort& effort, Results& results);      // P14

}  // namespace speed
