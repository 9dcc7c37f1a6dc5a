#!/usr/bin/env python3
"""Which rules of the region service a test names.

rules.py [--brief] [ROOT]    prints each rule with the tests that name it, then the two lists of which there are such tests
                             and of which there are none; with --brief, the two lists only

A test names a rule in a comment or a message, as R7 or R07.  Fails when no test names a rule of REQUIRED.
"""
import os
import re
import sys

# Letter -> how many rules there are, numbered from 1.
RULES = {"A": 10, "R": 10, "P": 3, "X": 4, "Z": 2, "S": 3, "V": 2, "U": 3}
ALL = [f"{letter}{n}" for letter, last in RULES.items() for n in range(1, last + 1)]
REQUIRED = ALL
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
NAMED = re.compile(r"\b([A-Z])0?([1-9][0-9]?)\b")


def rules_named(text):
    """The rules a C file names, outside its code: R8 may be a register there."""
    words = " ".join(found[0] for found in COMMENT_OR_STRING.finditer(text))
    return {letter + number for letter, number in NAMED.findall(words)} & set(ALL)


def test_files(root):
    for folder, _, names in os.walk(os.path.join(root, "tests")):
        for name in sorted(names):
            if name.endswith(".c"):
                yield os.path.join(folder, name)


def tests_by_rule(root):
    tests = {rule: [] for rule in ALL}
    for path in test_files(root):
        with open(path, encoding="utf-8") as source:
            for rule in rules_named(source.read()):
                tests[rule].append(os.path.splitext(os.path.basename(path))[0])
    return tests


def in_short(rules):
    """A1 A2 A3 R7 -> A1-A3 R7"""
    words, places = [], [ALL.index(rule) for rule in rules]
    while places:
        last = 0
        while last + 1 < len(places) and places[last + 1] == places[0] + last + 1 \
                and ALL[places[last + 1]][0] == ALL[places[0]][0]:
            last += 1
        words.append(ALL[places[0]] + (f"-{ALL[places[last]]}" if last else ""))
        places = places[last + 1:]
    return " ".join(words) or "none"


def main():
    arguments = sys.argv[1:]
    brief = "--brief" in arguments
    root = next((word for word in arguments if word != "--brief"), ".")
    tests = tests_by_rule(root)
    if not brief:
        for rule in ALL:
            print(f"{rule:4} {' '.join(sorted(tests[rule])) or '-'}")
    print("rules covered: " + in_short([rule for rule in ALL if tests[rule]]))
    print("rules not yet: " + in_short([rule for rule in ALL if not tests[rule]]))
    missing = [rule for rule in REQUIRED if not tests[rule]]
    if missing:
        print("no test names: " + in_short(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
