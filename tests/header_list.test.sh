#!/bin/sh
# SPDX-License-Identifier: MIT
# header_list.test.sh INCLUDE_DIR HEADER...: the headers are all the files there, and no others.
set -eu
include=$1
shift
listed=$(printf '%s\n' "$@" | sort)
there=$(find "$include" -type f | sort)
[ "$listed" = "$there" ] && exit
echo "listed in include/CMakeLists.txt (<) is not what lies in include/ (>):"
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT
echo "$listed" >"$scratch"
echo "$there" | diff "$scratch" -
