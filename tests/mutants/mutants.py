#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the library in small ways, one at a time; a test must notice each of them.

usage: mutants.py [--every K] [--jobs N] [WORD...]

With words, only the mutants whose title or header contains one of them; with --every, each K-th
only. The text files beside this one list them. Before any is made, the lists are looked through: each
mutant still fits its header, each clause of the contract has one, and each memory order that is weaker
than seq_cst has those that weaken it. The last line of the output has the figures; exits with 1
unless every mutant was killed.
"""

import argparse
import concurrent.futures
import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import orders

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
INCLUDE = TESTS.parent / "include"
HEADERS = INCLUDE / "xofn"
BUILD = TESTS.parent / "build" / "mutants"
COMPILE = ["clang++", "-std=c++20", "-O0", "-w", "-pthread", "-D_GLIBCXX_ASSERTIONS"]
SANITIZE = {"plain": [], "tsan": ["-fsanitize=thread"], "asan": ["-fsanitize=address,undefined"]}
LIBRARIES = {
    "publish/http.test.cpp": ["-lcivetweb"],
    "publish/log_sinks.test.cpp": ["-lspdlog", "-lfmt"],
    "publish/redis.test.cpp": ["-lhiredis"],
    "publish/status_table.test.cpp":
        ["-I/usr/include/postgresql", "-lsoci_core", "-lsoci_postgresql", "-lpq"],
}
MOST_SECONDS = 240
# What few schedules show is then drawn by every seed that was tried.
MORE_SCHEDULES = ["--schedules", "10000"]
CLAUSES = [f"C{n}:" for n in range(1, 14)]


class Program:
    """A test program: `plain|tsan|asan FILE [ARGUMENT]`, FILE under tests/."""

    def __init__(self, line):
        self.sanitizer, self.file, *arguments = line.split(None, 2)
        if self.is_scenario():
            arguments = [*MORE_SCHEDULES, *arguments]
        else:
            arguments = [a.replace(",", r"\,") for a in arguments]  # else two names to Catch2
            arguments.append("--abort")  # by the first failure it is killed
        self.arguments = arguments

    def is_scenario(self):
        return pathlib.Path(self.file).parent.name == "scenarios"

    def build(self, directory, includes):
        """Compiles it into `directory`; True if it compiles."""
        source = TESTS / self.file
        if self.is_scenario():
            rest = scheduler_objects(self.sanitizer)
        else:
            rest = ["-lCatch2Main", "-lCatch2", *LIBRARIES.get(self.file, [])]
        paths = [flag for path in [*includes, INCLUDE] for flag in ("-I", str(path))]
        flags = [*COMPILE, *SANITIZE[self.sanitizer], *paths]
        return runs([*flags, str(source), *rest, "-o", str(directory / "program")], directory, None)

    def passes(self, directory):
        """None if it does not end."""
        return runs([str(directory / "program"), *self.arguments], directory, MOST_SECONDS)


class Mutant:
    """A block of a list: a title, a header, what to replace by what, and what notices, or why
    nothing can."""

    def __init__(self, block):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        parts = {mark: [l[2:] for l in lines if l[:2] == mark + " " or l == mark] for mark in "=@-+!?"}
        (self.title,), (self.header,) = parts["="], parts["@"]
        self.old, self.new = "\n".join(parts["-"]), "\n".join(parts["+"])
        (self.killer,) = parts["!"] or [None]
        self.unseen = " ".join(parts["?"])
        if (self.killer is None) != (self.unseen != ""):
            sys.exit(f"{self.title}: either a ! or a ?")

    def fits(self):
        return (HEADERS / self.header).read_text().count(self.old) == 1

    def write(self, directory):
        """Writes the broken header to where it is found before the right one."""
        broken = directory / "xofn" / self.header
        broken.parent.mkdir(parents=True)
        broken.write_text((HEADERS / self.header).read_text().replace(self.old, self.new))


def read_mutants():
    blocks = "\n\n".join(f.read_text() for f in sorted(HERE.glob("*.txt"))).split("\n\n")
    return [Mutant(block) for block in blocks if "\n@ " in block]


def lacking(mutants):
    """Yields what is wrong with the lists."""
    for mutant in mutants:
        if not mutant.fits():
            yield f"{mutant.header} does not have once: {mutant.title}\n{mutant.old}"
    for clause in CLAUSES:
        if not any(m.title.startswith(clause) and m.killer for m in mutants):
            yield f"no mutant breaks {clause[:-1]}"
    for header, number, weaker in orders.without_mutant(HEADERS, mutants):
        yield f"{header}:{number}: no mutant has: {weaker}"


def runs(command, directory, most_seconds):
    """Whether a command ends well, or None if not in time; what it printed is in `directory`/log."""
    # The scheduler's programs go on after a race, and end well by default.
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1 exitcode=66"}
    with open(directory / "log", "w") as log:
        try:
            return 0 == subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env=environment, timeout=most_seconds).returncode
        except subprocess.TimeoutExpired:
            return None


def scheduler_objects(sanitizer):
    return sorted(str(path) for path in (BUILD / sanitizer).glob("*.o"))


def build_scheduler(sanitizer, pool):
    """The scheduler does not see the library, and is compiled once."""
    directory = BUILD / sanitizer
    directory.mkdir(parents=True)
    sources = [s for s in (TESTS / "schedules").glob("*.cpp") if not s.name.endswith(".test.cpp")]

    def build(source):
        flags = [*COMPILE, *SANITIZE[sanitizer], "-I", str(INCLUDE)]
        subprocess.run([*flags, "-c", str(source), "-o", str(directory / f"{source.stem}.o")],
                       check=True)

    list(pool.map(build, sources))


def fresh(name):
    directory = BUILD / name
    directory.mkdir(parents=True)
    return directory


def is_sound(killers, number):
    """Whether a program passes with the library as it is, whatever is asked of it: else it proves
    nothing."""
    directory = fresh(f"sound-{number}")
    programs = [Program(killer) for killer in killers]
    sound = programs[0].build(directory, []) and all(p.passes(directory) for p in programs)
    if not sound:
        print(f"FAILS WITHOUT A MUTANT  {killers}; see {directory / 'log'}", flush=True)
    return sound


def judge(mutant, number):
    directory = fresh(f"mutant-{number}")
    mutant.write(directory)
    program = Program(mutant.killer)
    if not program.build(directory, [directory]):
        verdict = "DOES NOT COMPILE"
    else:
        verdict = {True: "SURVIVED", False: "killed", None: "hangs"}[program.passes(directory)]
    killed = verdict in ("killed", "hangs")
    if killed:
        shutil.rmtree(directory)
    print(f"{verdict:8}  {mutant.header}: {mutant.title}\n          by {mutant.killer}", flush=True)
    return killed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("words", nargs="*")
    arguments = parser.parse_args()
    listed = read_mutants()
    if wrong := list(lacking(listed)):
        print(*wrong, f"{len(wrong)} faults in the lists of mutants", sep="\n")
        return 1
    for mutant in listed:
        if mutant.unseen:
            print(f"not seen  {mutant.header}: {mutant.title}\n          {mutant.unseen}")
    words = arguments.words or [""]
    mutants = [m for m in listed if m.killer and any(w in m.title + m.header for w in words)]
    mutants = mutants[:: arguments.every]
    shutil.rmtree(BUILD, ignore_errors=True)
    killers = sorted({m.killer for m in mutants})
    programs = [list(g) for _, g in itertools.groupby(killers, key=lambda k: k.split()[:2])]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for sanitizer in {Program(killer).sanitizer for killer in killers}:
            build_scheduler(sanitizer, pool)
        sound = all(list(pool.map(is_sound, programs, range(len(programs)))))
        killed = sum(list(pool.map(judge, mutants, range(len(mutants))))) if sound else 0
    unseen = sum(m.killer is None for m in listed)
    print(
        f"{killed} of {len(mutants)} mutants killed, by {len(killers)} tests; {len(listed)} listed, "
        f"{unseen} that nothing can see; each of {orders.count(HEADERS)} orders weakened"
    )
    return 0 if killed == len(mutants) > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
