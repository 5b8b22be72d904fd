#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the tests of a build that counts the lines they run, and looks whether that is all of them.
# usage: check.sh BUILD_DIRECTORY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$1/tests"
export LLVM_PROFILE_FILE="$PWD/%m.profraw"
rm -f ./*.profraw
./xofn_tests >tests.log 2>&1 || { tail -n 30 tests.log && exit 1; }
./publish/xofn_publish_tests >publish.log 2>&1 || { tail -n 30 publish.log && exit 1; }
./properties/xofn_properties >properties.log 2>&1 || { tail -n 30 properties.log && exit 1; }
# Counted, no item is short by the clock; by the scheduler's some are.
./schedules/xofn_schedules --schedules 50 --most 200 >schedules.log 2>&1 || {
  tail -n 30 schedules.log && exit 1
}
llvm-profdata merge -o tests.profdata ./*.profraw
python3 "$here/coverage.py" tests.profdata ./xofn_tests ./publish/xofn_publish_tests \
  ./properties/xofn_properties ./schedules/xofn_schedules
