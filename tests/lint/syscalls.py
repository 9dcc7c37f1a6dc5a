#!/usr/bin/env python3
"""The table of system calls agrees with those who make the calls.

syscalls.py [ROOT [LINUX]]    prints what is wrong with kernel/syscall/table.c under ROOT, and fails when something is;
                              LINUX is the C library's <bits/syscall.h>

1. Each name has Linux's x86-64 number, or for Shoal's own calls that of include/abi/shoal.h.
2. The numbers ascend.
3. Each handler is declared in include/kernel/syscall/, and each that is declared there is in the table.
"""
import os
import re
import sys

TABLE = "kernel/syscall/table.c"
LINUX = "/usr/include/x86_64-linux-musl/bits/syscall.h"

LINUX_NUMBER = re.compile(r"^#define\s+(?:__NR|SYS)_(\w+)\s+(\d+)", re.MULTILINE)
SHOAL_NUMBER = re.compile(r"^#define\s+SHOAL_SYS_(\w+)\s+(0x[0-9a-f]+|\d+)", re.MULTILINE)
HANDLER = re.compile(r"^long (sys_\w+)\(const unsigned long \w+\[6\]\);", re.MULTILINE)
TABLE_BODY = re.compile(r"struct sys_entry table\[\] = \{(.*?)^\};", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r'\{\s*(\w+),\s*"(\w+)",\s*(\w+),[^{}]*\}')


def read(path):
    with open(path, encoding="utf-8") as source:
        return source.read()


def numbers(pattern, text):
    return {name: int(number, 0) for name, number in pattern.findall(text)}


def check_entry(word, name, linux, shoal):
    """(number, what is wrong or None) of one entry."""
    if word.startswith("SHOAL_SYS_"):
        wanted = shoal.get(word.removeprefix("SHOAL_SYS_"))
        if wanted is None:
            return None, f"{word} is not in include/abi/shoal.h"
        if word != f"SHOAL_SYS_{name}":
            return wanted, f"{word} is called {name}"
        return wanted, None
    number = int(word, 0)
    if name not in linux:
        return number, f"{number} {name}: Linux has no call of this name"
    if linux[name] != number:
        return number, f"{number} {name}: Linux's number is {linux[name]}"
    return number, None


def check_table(table, linux, shoal, declared):
    body = TABLE_BODY.search(table)
    entries = ENTRY.findall(body[1]) if body else []
    if not entries or len(entries) != body[1].count("{"):
        return ["the table does not look as this check knows it"]
    problems, last = [], -1
    for word, name, handler in entries:
        number, problem = check_entry(word, name, linux, shoal)
        if problem:
            problems.append(problem)
        if number is not None:
            if number <= last:
                problems.append(f"{number} {name}: comes after {last}")
            last = number
        if handler not in declared:
            problems.append(f"{name}: {handler} is not declared in include/kernel/syscall/")
    problems += [f"{handler} is declared and in no entry" for handler in sorted(declared - {e[2] for e in entries})]
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    linux = numbers(LINUX_NUMBER, read(sys.argv[2] if len(sys.argv) > 2 else LINUX))
    shoal = numbers(SHOAL_NUMBER, read(os.path.join(root, "include/abi/shoal.h")))
    headers = os.path.join(root, "include/kernel/syscall")
    declared = {handler for name in os.listdir(headers) for handler in HANDLER.findall(read(os.path.join(headers, name)))}
    problems = check_table(read(os.path.join(root, TABLE)), linux, shoal, declared)
    for problem in problems:
        print(f"{TABLE}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
