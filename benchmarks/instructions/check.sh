#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: check.sh PROGRAM TABLE: counts the instructions of PROGRAM's parts with callgrind, leaves a
# new table beside PROGRAM, and fails where a count is more than 5 % off that in TABLE.
set -eu
program=$1
table=$2
new=$program.txt
counts=$(mktemp -d)
trap 'rm -rf "$counts"' EXIT

valgrind --tool=callgrind --callgrind-out-file="$counts/part" --log-file="$counts/log" \
  "$program" >"$counts/names" || {
  cat "$counts/log" >&2
  exit 1
}

# shellcheck disable=SC2046 # the names of the parts are words, in order
sed -n 's/^summary: //p' $(ls -v "$counts"/part.*) >"$counts/sums"
grep '^#' "$table" >"$new"
paste -d ' ' "$counts/names" "$counts/sums" | awk '
  {
    sum = $NF
    items = $(NF - 1)
    sub(/ [0-9]+ [0-9]+$/, "")
    if (NR % 2 == 0) printf "%-44s %8.1f\n", $0, (sum - few) / few_items
    few = sum
    few_items = items
  }
' >>"$new"

awk '
  /^#/ { next }
  { name = $0; sub(/ +[0-9.]+$/, "", name); }
  FILENAME == ARGV[1] { was[name] = $NF; next }
  {
    ++compared
    off = (name in was) ? $NF / was[name] - 1 : 1
    if (off < -0.05 || off > 0.05) {
      printf "%s: %s instructions, %s in the table\n", name, $NF, (name in was) ? was[name] : "not"
      bad = 1
    }
    delete was[name]
  }
  END {
    for (name in was) { print name ": not counted"; bad = 1 }
    if (compared == 0) { print "nothing was counted"; bad = 1 }
    exit bad
  }
' "$table" "$new" || {
  echo "if that is meant: cp $new $table"
  exit 1
}
