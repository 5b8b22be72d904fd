// SPDX-License-Identifier: MIT
// What is made for other people's tests.
#include <xofn/testing/contract_checker.hpp>

#include "../oracle.hpp"
#include "../scenario.hpp"

namespace schedules::testing_scenarios {

const Scenario listed{"checker: what is listed has been written, whoever calls meanwhile", 3, [] {
                        xofn::BasicContractChecker<ScheduledSync> checker;
                        const auto calls = [&] { checker(7, 5); };
                        {
                          const ScheduledThread a(calls);
                          const ScheduledThread b(calls);
                          for (const xofn::Violation& violation : checker.violations()) {
                            check(violation.completed == 7 && violation.total == 5, "as told");
                          }
                        }
                        check(checker.count(xofn::Breach::beyond_total) == 2, "each is counted");
                        check(checker.violations().size() >= 2, "and listed");
                      }};

}  // namespace schedules::testing_scenarios
