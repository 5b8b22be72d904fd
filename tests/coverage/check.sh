#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests of a build that counts the lines they run, and looks whether that is all of them.
# usage: check.sh BUILD_DIRECTORY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1/tests"
export LLVM_PROFILE_FILE="$PWD/%m.profraw"
# Counted, no item is short by the clock; by the scheduler's some are.
export XOFN_SCHEDULES=50 XOFN_EXHAUSTIVE=200
rm -f ./*.profraw
set -- ./xofn_tests ./publish/xofn_log_tests ./publish/xofn_publish_tests \
  ./properties/xofn_properties ./schedules/xofn_schedules
for program; do
  "$program" >"$program.log" 2>&1 || { tail -n 30 "$program.log" && exit 1; }
done
llvm-profdata merge -o tests.profdata ./*.profraw
python3 "$here/coverage.py" tests.profdata "$@"
