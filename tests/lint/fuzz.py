#!/usr/bin/env python3
"""Is every system call of the kernel one that /bin/fuzz makes?

fuzz.py [ROOT]    compares kernel/syscall/table.c with user/fuzz/table.c; names of calls that only steps make are looked for in
                  user/fuzz/steps_proc.c
"""
import os
import re
import sys


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "..")
    kernel = set(re.findall(r'^    \{[^,]+, "(\w+)", sys_', read(root, "kernel/syscall/table.c"), re.MULTILINE))
    table = read(root, "user/fuzz/table.c")
    steps = read(root, "user/fuzz/steps_proc.c")
    missing = [name for name in sorted(kernel)
               if not re.search(rf"\{{(SHOAL_)?SYS_{name}, ", table) and not re.search(rf"\bSYS_{name}\b", steps)]
    if not kernel:
        missing = ["kernel/syscall/table.c cannot be read"]
    for name in missing:
        print(f"user/fuzz never makes this call: {name}")
    sys.exit(1 if missing else 0)


main()
