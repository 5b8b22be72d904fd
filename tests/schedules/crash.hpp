// SPDX-License-Identifier: MIT
#pragma once

#include "scenario.hpp"

namespace schedules {

/// If the program ends by a signal, the scenario and its schedule are printed first. An assertion
/// that does not hold, and std::terminate, are failures like others.
void report_crashes_of(const Scenario& scenario);

}  // namespace schedules
