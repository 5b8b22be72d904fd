#!/bin/sh
# SPDX-License-Identifier: MIT
# Every block marked cpp in README.md is a passage of an example, but for its indentation.
set -eu
awk '
  { sub(/^[ \t]+/, ""); sub(/[ \t]+$/, "") }
  FILENAME != "README.md" { text[FILENAME] = text[FILENAME] "\n" $0; next }
  /^```/ && in_block { check(); in_block = 0; next }
  /^```cpp$/ { in_block = FNR; block = ""; next }
  in_block { block = block "\n" $0 }
  END {
    if (in_block) check()
    if (blocks == 0) { print "README.md has no block marked cpp"; missing = 1 }
    exit missing
  }
  function check(   file) {
    ++blocks
    for (file in text) if (index(text[file] "\n", block "\n")) return
    print "README.md:" in_block ": this block is in no example"
    missing = 1
  }
' examples/*.[ch]pp README.md
