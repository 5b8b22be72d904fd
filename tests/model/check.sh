#!/bin/sh
# SPDX-License-Identifier: MIT
# Has spin explore the model, for safety and then, with fewer items, for liveness.
# usage: check.sh BUILD_DIRECTORY
set -eu
model=$(cd "$(dirname "$0")" && pwd)/batch.pml
mkdir -p "$1"
cd "$1"

# explore NAME ITEMS DEFINES OPTIONS
explore() {
  spin -a -DITEMS="$2" "$model" >"$1.log"
  # shellcheck disable=SC2086 # defines and options are words
  {
    cc -O2 -w $3 -o "$1" pan.c
    "./$1" -m1000000 $4 >"$1.log"
  }
  # A search that was cut short, or found something, says so here.
  if ! grep -q 'errors: 0' "$1.log" || grep -qE 'max search depth|out of memory' "$1.log"; then
    cat "$1.log"
    exit 1
  fi
  sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$1.log"
}

safety=$(explore safety 3 '-DSAFETY -DNOCLAIM' '')
liveness=$(explore liveness 2 '-DNFAIR=3' '-a -f')
echo "$safety states without an error, $liveness that all lead to the end"
