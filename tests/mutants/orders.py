# SPDX-License-Identifier: MIT
"""Looks for memory orders of which nothing shows that they are needed."""

import re

ORDER = re.compile(r"std::memory_order_(\w+)")
WEAKER = {"acquire": ["relaxed"], "release": ["relaxed"], "acq_rel": ["acquire", "release"]}


def weakened(line):
    """Yields the line with each of its orders made weaker in each way."""
    for order in ORDER.finditer(line):
        for weaker in WEAKER.get(order[1], []):
            yield line[: order.start(1)] + weaker + line[order.end(1) :]


def lines(text):
    return [line.strip() for line in text.splitlines()]


def count(include):
    """How many orders weaker than seq_cst and stronger than relaxed the headers have."""
    texts = [header.read_text() for header in include.rglob("*.hpp")]
    return sum(order[1] in WEAKER for text in texts for order in ORDER.finditer(text))


def without_mutant(include, mutants):
    """Yields (header, number, weaker line) where no mutant makes an order weaker."""
    made = {(m.header, old, new) for m in mutants for old in lines(m.old) for new in lines(m.new)}
    for header in sorted(include.rglob("*.hpp")):
        name = str(header.relative_to(include))
        for number, line in enumerate(lines(header.read_text()), 1):
            for weaker in weakened(line):
                if (name, line, weaker) not in made:
                    yield name, number, weaker
