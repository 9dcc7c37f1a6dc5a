#!/usr/bin/env python3
"""Every allocation and every sleep of the kernel passes a failpoint.

failpoints.py [ROOT]    prints "file:line: what is wrong" for each way around them, and fails when there is one

What takes memory or blocks below the failpoints may be called only where the failpoint has been asked (ALLOWED), and
each of those files asks it.  That one request asks exactly once is a unit test's business (tests/unit/test_kmem.c).
"""
import os
import re
import sys

# function: the files that may call it, without its declaration.
ALLOWED = {
    "page_alloc_at": {"kernel/phys/pmem.c", "kernel/phys/kmem.c", "kernel/phys/kmem_bytes.c"},
    "kmem_alloc_at": {"kernel/phys/kmem.c", "kernel/phys/kmem_bytes.c"},
    "buddy_take": {"kernel/phys/pmem.c", "kernel/phys/buddy.c"},
    "buddy_take_frames": {"kernel/phys/pmem.c", "kernel/phys/buddy.c"},
    # The mapping of all memory, before there are frames to allocate.
    "boot_page_alloc": {"arch/x86_64/bootmem.c", "arch/x86_64/kmap.c", "arch/x86_64/kasan_map.c"},
    "schedule": {"kernel/sched/sched.c", "kernel/sched/sleep.c", "kernel/sched/thread.c"},
}
# file: what it asks, so often.
ASKS = {
    "kernel/phys/pmem.c": ("failpoint_hit(FAIL_ALLOC)", 2),  # page_alloc, pmem_promise
    "kernel/phys/kmem.c": ("failpoint_hit(FAIL_ALLOC)", 1),
    "kernel/phys/kmem_bytes.c": ("failpoint_hit(FAIL_ALLOC)", 1),
    "kernel/sched/sleep.c": ("failure(mode, deadline_ns)", 2),  # waitq_sleep, thread_sleep_until
}
CALL = re.compile(r"\b(" + "|".join(ALLOWED) + r")\(")


def check_text(path, text):
    """What is wrong with one source file."""
    problems = []
    for number, line in enumerate(text.split("\n"), 1):
        for name in CALL.findall(line.split("/*")[0]):
            if path not in ALLOWED[name]:
                problems.append(f"{path}:{number}: {name}() passes the failpoint by")
    if path in ASKS:
        what, times = ASKS[path]
        calls = text.count(what)
        if calls != times:
            problems.append(f"{path}: {what} {calls} times, must be {times}: change this lint with it")
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    problems = []
    for top in ("arch", "kernel", "lib"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(".c"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as source:
                        problems += check_text(os.path.relpath(path, root), source.read())
    print("\n".join(problems) or "every allocation and sleep passes a failpoint")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
