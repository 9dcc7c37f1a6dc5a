#!/usr/bin/env python3
"""Rules about the source that a compiler does not know.

layers.py [ROOT]    prints "file:line: what is wrong" for each violation, and fails when there is one

1. A file includes headers of its own layer or a lower one (LAYERS).
2. include/arch is a small interface: fewer than ARCH_LINES_MAX lines in all.
3. kernel/ and lib/ have no conditional compilation: no variant for tests, hosts or machines.
4. The top of the repository holds TOP_ENTRIES only.
5. Above kernel/base, interrupts and user memory are used through the functions that check where they are called.
"""
import os
import re
import sys

# Rank of each layer, and where it lives.  A folder of kernel/ has its public headers in include/kernel/.
LAYERS = {
    "abi": 0, "lib": 0, "arch": 1,
    "kernel/base": 2, "kernel/phys": 3, "kernel/sched": 4, "kernel/mm": 5,
    "kernel/fs": 6, "kernel/proc": 7, "kernel/syscall": 8, "kernel": 9,
}
# The arch's implementation may call up to here.
ARCH_IMPLEMENTATION_RANK = LAYERS["kernel/phys"]
# What a freestanding compiler brings along.
FREESTANDING = {
    "float.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdnoreturn.h",
}
# Programs of the guest see the kernel through the ABI only.
GUEST_FOLDERS = ("user/", "tests/guest/", "tests/tools/guest/")
# A machine that is a Linux process has a C library.
HOST_MACHINE = "arch/host/"
ARCH_LINES_MAX = 300
TOP_ENTRIES = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "arch", "build", "include", "kernel", "lib", "tests",
               "tools", "user"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITIONAL = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)")
UNCHECKED = re.compile(r"\b(arch_irq_(save|restore|enable|disable)|arch_(copy_from|copy_to|clear|copy_string_from)_user)\b")
# They are for kernel/base to wrap; the last breaks rules on purpose.
MAY_BE_UNCHECKED = ("kernel/base/", "include/kernel/base/", "kernel/provoke_locks.c")
# About the compiler, not about where the code runs.
COMPILER_QUESTION = re.compile(r"^\s*(defined\s*)?\(?\s*(__has_\w+|__clang__|__GNUC__)\b")


def layer_of(path):
    """The layer of a source file or of an included header, or None when it is outside the kernel."""
    path = path.removeprefix("include/")
    first, _, rest = path.partition("/")
    if first == "kernel" and "/" in rest:
        return "kernel/" + rest.split("/")[0]
    if first == "arch" and path.count("/") > 1:
        return "arch-implementation"
    return first if first in ("kernel", "arch", "lib", "abi") else None


def check_include(path, kind, header):
    """What is wrong with `path` including `header`, or None."""
    layer = layer_of(path)
    if path.startswith(GUEST_FOLDERS):
        if header.startswith(("kernel/", "arch/", "machine/")):
            return f"a program of the guest includes <{header}> of the kernel"
        return None
    if layer is None:
        return None
    if kind == '"':
        return f'"{header}" leaves its folder' if "/" in header else None
    if header in FREESTANDING:
        return None
    if header.startswith("machine/"):
        if layer in ("arch", "arch-implementation"):
            return None
        return f"<{header}> is for include/arch only"
    target = layer_of(header)
    if target is None and path.startswith(HOST_MACHINE):
        return None
    if target is None:
        return f"<{header}> is not a header of the kernel"
    if target not in LAYERS:
        return f"<{header}>: no layer is called {target}"
    if layer == "arch-implementation":
        # What is in machine/ is seen by everyone who includes <arch/...>, so it has the rank of include/arch.
        rank = LAYERS["arch"] if "/machine/" in path else ARCH_IMPLEMENTATION_RANK
    elif layer in LAYERS:
        rank = LAYERS[layer]
    else:
        return f"no layer is called {layer}"
    if LAYERS[target] > rank:
        return f"<{header}> (layer {target}) is above this file (layer {layer})"
    return None


def check_file(root, path):
    problems = []
    plain = path.startswith(("kernel/", "lib/", "include/kernel/", "include/lib/"))
    with open(os.path.join(root, path), encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            problem = None
            if found := INCLUDE.match(line):
                problem = check_include(path, found[1], found[2])
            elif plain and (found := CONDITIONAL.match(line)) and not COMPILER_QUESTION.match(found[2]):
                problem = f"#{found[1]}{found[2]}: no variants here; KERNEL_DEBUG is a C expression"
            elif plain and not path.startswith(MAY_BE_UNCHECKED) and (found := UNCHECKED.search(line)):
                problem = f"{found[0]}: use the function of kernel/base without arch_"
            if problem:
                problems.append(f"{path}:{number}: {problem}")
    return problems


def source_files(root):
    for top in ("arch", "include", "kernel", "lib", "user", "tests"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_arch_size(root):
    lines = 0
    for folder, _, names in os.walk(os.path.join(root, "include/arch")):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                lines += sum(1 for _ in source)
    if lines >= ARCH_LINES_MAX:
        return [f"include/arch: {lines} lines, must be under {ARCH_LINES_MAX}"]
    return []


def check_top(root):
    return [f"{name}: does not belong at the top of the repository" for name in sorted(os.listdir(root))
            if not (name in TOP_ENTRIES or name.startswith((".", "build-")) or name.endswith(".md"))]


def check_tree(root):
    problems = check_top(root) + check_arch_size(root)
    for path in sorted(source_files(root)):
        problems += check_file(root, path)
    return problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    problems = check_tree(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
