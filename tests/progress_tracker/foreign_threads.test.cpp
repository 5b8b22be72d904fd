// SPDX-License-Identifier: MIT
#include <catch2/catch_test_macros.hpp>

#include <xofn/progress_tracker.hpp>

#include "../support/oracle.hpp"
#include "../support/recorder.hpp"

#if XOFN_TEST_TBB
#include <tbb/parallel_for.h>
#endif

using support::Recorder;
using support::wrong_every;
using xofn::ProgressTracker;

// The tracker in loops of runtimes that own their threads: which of them there are, and where they
// are left out, says tests/CMakeLists.txt.

namespace {

[[maybe_unused]] constexpr int total = 20'000;

[[maybe_unused]] void settle(ProgressTracker& tracker, int item) {
  if (item % 3 == 0) {
    tracker.fail();
  } else {
    tracker.succeed();
  }
}

}  // namespace

TEST_CASE("C2: an OpenMP loop is told 1, 2, ..., N") {
#if XOFN_TEST_OPENMP
  Recorder recorder;
  ProgressTracker tracker{total};
  tracker.on_progress(recorder.callback());
#pragma omp parallel for num_threads(4) schedule(dynamic, 16)
  for (int item = 0; item < total; ++item) settle(tracker, item);
  tracker.wait();
  recorder.close();
  CHECK(tracker.progress().completed() == total);
  CHECK(wrong_every(recorder, tracker.progress()) == "");
#else
  SKIP("built without OpenMP");
#endif
}

TEST_CASE("C2: oneTBB's parallel_for is told 1, 2, ..., N") {
#if XOFN_TEST_TBB
  Recorder recorder;
  ProgressTracker tracker{total};
  tracker.on_progress(recorder.callback());
  tbb::parallel_for(0, total, [&](int item) { settle(tracker, item); });
  tracker.wait();
  recorder.close();
  CHECK(tracker.progress().completed() == total);
  CHECK(wrong_every(recorder, tracker.progress()) == "");
#else
  SKIP("built without oneTBB");
#endif
}
