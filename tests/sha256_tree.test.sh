#!/bin/sh
# SPDX-License-Identifier: MIT
# sha256_tree.test.sh PROGRAM: its sums are those of sha256sum, and what it cannot read it says.
set -eu
umask 022
here=$(mktemp -d)
trap 'chmod -R u+rwx "$here"; rm -rf "$here"' EXIT
fail() {
  echo "$@" >&2
  exit 1
}
# Root reads everything: as somebody else, then, where a file must not be readable.
program=$here/sha256_tree
cp "$1" "$program"
chmod 755 "$here" "$program"
unprivileged() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi
}

# A real tree: the repository's own files, an empty one, a large one, and names that are a nuisance.
tree=$here/tree
mkdir "$tree" "$tree/a directory"
cp -R include tests "$tree"
: >"$tree/empty"
head -c 5000000 /dev/zero >"$tree/large"
echo 1 >"$tree/a directory/-dash"
echo 2 >"$tree/back\\slash"
echo 3 >"$tree/new
line"
files=$(find "$tree" -type f -exec printf . \; | wc -c)

"$program" --workers 3 "$tree" >"$here/sums" 2>"$here/log" || fail "exit status $? on a readable tree"
sha256sum --check --strict --quiet "$here/sums" || fail "sha256sum disagrees"
[ "$(wc -l <"$here/sums")" = "$files" ] || fail "$(wc -l <"$here/sums") sums for $files files"
for options in "--workers 1" "--workers 8" "--by-bytes"; do
  # shellcheck disable=SC2086 # options are words
  "$program" $options "$tree" 2>/dev/null | cmp - "$here/sums" || fail "$options: other sums"
done

# What cannot be read is listed and counted, the rest is there, and the exit status is 1.
echo secret >"$tree/unreadable"
chmod 0 "$tree/unreadable"
ln -s . "$tree/loop"
ln -s ../.. "$tree/a directory/way up"
ln -s myself "$tree/myself"
ln -s "a directory" "$tree/no loop"
ln -s nothing "$tree/dangling"
status=0
unprivileged "$program" "$tree" "$tree/vanished" >"$here/less" 2>"$here/log" || status=$?
[ "$status" = 1 ] || fail "exit status $status with an unreadable file"
grep -q unreadable "$here/log" || fail "the unreadable file is not listed"
grep -q vanished "$here/log" || fail "the vanished file is not listed"
for loop in "loop" "a directory/way up" "myself"; do
  grep -q "$tree/$loop: Too many levels" "$here/log" || fail "the directory loop $loop is not listed"
done
grep -qx "sha256_tree: 5 failed" "$here/log" || fail "$(tail -n 1 "$here/log"), not 5"
cmp "$here/less" "$here/sums" || fail "the readable files are not all there"

# Ctrl-C: what runs is finished, the rest is left out, and X is what was hashed.
mkdir "$here/slow"
for i in 0 1 2 3 4 5 6 7 8 9; do
  truncate -s 500M "$here/slow/$i"
done
"$program" --workers 1 "$here/slow" >"$here/some" 2>"$here/interrupted" &
until grep -qs hashing "$here/interrupted"; do sleep 0.05; done
kill -INT $!
status=0
wait $! || status=$?
[ "$status" = 130 ] || fail "exit status $status after an interrupt"
x=$(wc -l <"$here/some")
[ "$x" -lt 10 ] || fail "nothing was left out after an interrupt"
grep -q "cancelled at $x/10" "$here/interrupted" || fail "X is not $x after an interrupt"

"$program" --help >"$here/help" || fail "exit status $? of --help"
grep -q -e --workers "$here/help" || fail "--help does not name --workers"
