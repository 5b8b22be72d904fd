#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the tests run every line of the library.

usage: coverage.py PROFILE BINARY...

The binaries were built with clang's source-based coverage, the profile is llvm-profdata's.
exceptions.txt names the lines that no test can run, each with its reason; one that is run after
all, or is no longer there, fails the check as well. The last line of the output has the figures.
"""

import collections
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent.parent / "include" / "xofn"


def export(profile, binaries, *options):
    objects = [word for binary in binaries[1:] for word in ("-object", binary)]
    command = ["llvm-cov", "export", *options, f"-instr-profile={profile}", binaries[0], *objects]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def in_library(path):
    path = pathlib.Path(path)
    return path.relative_to(INCLUDE) if path.is_relative_to(INCLUDE) else None


def missed_lines(profile, binaries):
    """Yields (file, number, text) of each line that was never run."""
    run = collections.Counter()
    file = None
    for record in export(profile, binaries, "-format=lcov").splitlines():
        kind, _, rest = record.partition(":")
        if kind == "SF":
            file = in_library(rest)
        elif kind == "DA" and file is not None:
            number, count = rest.split(",")[:2]
            run[file, int(number)] += int(count)
    for (file, number), count in sorted(run.items()):
        if count == 0:
            yield file, number, (INCLUDE / file).read_text().splitlines()[number - 1].strip()


def figures(profile, binaries):
    summary = json.loads(export(profile, binaries, "-format=text", "-summary-only"))
    total = collections.Counter()
    for file in summary["data"][0]["files"]:
        if in_library(file["filename"]) is not None:
            for kind in ("lines", "branches"):
                total[kind] += file["summary"][kind]["count"]
                total[kind, "run"] += file["summary"][kind]["covered"]
    return ", ".join(f"{total[kind, 'run']} of {total[kind]} {kind}" for kind in ("lines", "branches"))


def exceptions():
    """Lines of `file | text | reason`: the text is the source line without its indent."""
    for line in (HERE / "exceptions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            file, text, _reason = line.split(" | ")
            yield pathlib.Path(file), text


def main(profile, *binaries):
    excepted = set(exceptions())
    missed = set()
    wrong = []
    last_excepted = None
    for file, number, text in missed_lines(profile, binaries):
        missed.add((file, text))
        ends_an_exception = text == "}" and last_excepted == (file, number - 1)
        if (file, text) in excepted:
            last_excepted = file, number
        elif not ends_an_exception:
            wrong.append(f"{file}:{number}: is run by no test: {text}")
    wrong += [f"{file}: needs no exception: {text}" for file, text in sorted(excepted - missed)]
    print(*wrong, sep="\n")
    print(f"{figures(profile, binaries)}, {len(excepted)} lines excepted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
