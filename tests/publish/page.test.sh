#!/bin/sh
# SPDX-License-Identifier: MIT
# page.test.sh PROGRAM CHROMIUM TEST: drives the program's page in a browser, in the directory that it
# is called in, where the screenshots are afterwards. 77: there is no playwright-core to be had.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" .
npm ci --no-audit --no-fund --prefer-offline || {
  [ -z "${CI:-}" ] || exit 1
  echo "playwright-core cannot be installed: skipped"
  exit 77
}
PAGE_PROGRAM=$1 CHROMIUM=$2 exec node --test "$3"
