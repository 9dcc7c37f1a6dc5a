#!/usr/bin/env python3
"""Prints what `llvm-cov export` (on standard input) counted of some files: lines and branches, of each and of all.

A branch has two ways, and each counts.  An assertion has a way that a correct kernel never goes: the table says what was
run of all branches but those of ASSERT and its like (macros of panic.h), and its last column what was run of all.

With --missed, names each line and each way of a branch that was not run instead."""
import argparse
import collections
import json
import os
import sys

ASSERTIONS = "kernel/base/panic.h"  # where the macros are


def ways(branches):
    """{place: [true count, false count]}: one place in several functions or programs counts once."""
    at = collections.defaultdict(lambda: [0, 0])
    for branch in branches:
        for way in (0, 1):
            at[tuple(branch[:4])][way] += branch[4 + way]
    return at


def count(counts):
    """(all ways, those never gone)"""
    return 2 * len(counts), sum(way == 0 for pair in counts for way in pair)


def macro_ways(file):
    """Of each macro's use: {(its place, place in the macro): counts}, those of assertions and the others."""
    asserted, others = {}, {}
    for expansion in file["expansions"]:
        region = expansion["source_region"]
        to = asserted if expansion["filenames"][region[6]].endswith(ASSERTIONS) else others
        for place, counts in ways(expansion["branches"]).items():
            old = to.setdefault((tuple(region[:4]), place), [0, 0])
            to[tuple(region[:4]), place] = [max(a, b) for a, b in zip(old, counts)]
    return asserted, others


def measure(file):
    asserted, others = macro_ways(file)
    own = list(ways(file["branches"]).values()) + list(others.values())
    lines = file["summary"]["lines"]
    return [lines["count"], lines["count"] - lines["covered"], *count(own),
            *count(own + list(asserted.values()))]


def percent(all_of_them, missed):
    return f"{100 * (all_of_them - missed) / all_of_them:7.2f}%" if all_of_them else "      - "


def print_row(name, row):
    lines, lines_missed, branches, missed, with_asserts, with_asserts_missed = row
    print(f"{name:24} {lines:6} {lines_missed:7} {percent(lines, lines_missed)} {branches:9} {missed:7} "
          f"{percent(branches, missed)} {percent(with_asserts, with_asserts_missed):>16}")


def print_table(files, root):
    total = [0] * 6
    print(f"{'file':24} {'lines':>6} {'missed':>7} {'run':>8} {'branches':>9} {'missed':>7} {'run':>8} "
          f"{'with assertions':>16}")
    for file in sorted(files, key=lambda f: f["filename"]):
        row = measure(file)
        total = [a + b for a, b in zip(total, row)]
        print_row(os.path.relpath(file["filename"], root).removeprefix("kernel/"), row)
    print_row("all", total)


def print_missed(files, root):
    for file in sorted(files, key=lambda f: f["filename"]):
        with open(file["filename"], encoding="utf-8") as source:
            text = source.read().split("\n")
        name = os.path.relpath(file["filename"], root)
        missed = {segment[0]: ["not run"] for segment in file["segments"]
                  if segment[2] == 0 and segment[3] and segment[4] and not segment[5]}
        places = list(ways(file["branches"]).items())
        places += [(use, counts) for (use, _), counts in macro_ways(file)[1].items()]
        for place, counts in places:
            for way, what in enumerate(("never true", "never false")):
                if counts[way] == 0:
                    cut = text[place[0] - 1][place[1] - 1:place[3] - 1] if place[0] == place[2] else ""
                    missed.setdefault(place[0], []).append(f"{what}: {cut}".rstrip(": "))
        for line in sorted(missed):
            print(f"{name}:{line}: {text[line - 1].strip()}    ({'; '.join(missed[line])})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missed", action="store_true")
    parser.add_argument("root", help="what names of files are relative to")
    args = parser.parse_args()
    files = json.load(sys.stdin)["data"][0]["files"]
    (print_missed if args.missed else print_table)(files, args.root)
    return 0


sys.exit(main())
