#!/usr/bin/env python3
"""The models of tests/spin and the C files they stand for name each other.

models.py [ROOT]

The first comment of each model has, after "Stands for:", lines "FILE.c: FUNCTION...".  Each such file has each of these
functions and a comment line "Model: tests/spin/NAME.pml"; and a file with such a line is named by that model.
"""
import os
import re
import sys

STANDS_FOR = re.compile(r"Stands for:\n(.*?)\n \*\n", re.DOTALL)
ENTRY = re.compile(r"([\w/]+\.c): ([^:]*?)(?=\s+[\w/]+\.c:|\s*$)", re.DOTALL)
MODEL = re.compile(r"Model: (tests/spin/\w+\.pml)")


def functions_of_files(model_text):
    """{C file: [function]} that a model says it stands for."""
    found = STANDS_FOR.search(model_text)
    text = re.sub(r"\n \*", " ", "\n" + found[1]) if found else ""
    return {path: names.split() for path, names in ENTRY.findall(text)}


def check(models, sources):
    """models: {path: text}, sources: {path: text}, both from the root.  What is wrong, one line each."""
    problems = []
    named = {}
    for model, text in models.items():
        files = functions_of_files(text)
        if not files:
            problems.append(f"{model}: does not say what it stands for")
        for path, functions in files.items():
            named.setdefault(path, set()).add(model)
            source = sources.get(path)
            if source is None:
                problems.append(f"{model}: there is no {path}")
                continue
            # A definition: a line that begins with its type.
            problems += [f"{model}: {path} has no function {name}" for name in functions
                         if not re.search(rf"^\w[^;=\n]*\b{name}\(", source, re.MULTILINE)]
            if model not in MODEL.findall(source):
                problems.append(f"{path}: {model} stands for functions of it, and it has no line \"Model: {model}\"")
    for path, source in sources.items():
        for model in MODEL.findall(source):
            if model not in named.get(path, ()):
                problems.append(f"{path}: names {model}, which does not name it")
    return problems


def read_all(root, folders, suffix):
    texts = {}
    for top in folders:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith(suffix):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        texts[os.path.relpath(path, root)] = file.read()
    return texts


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    models = read_all(root, ["tests/spin"], ".pml")
    problems = check(models, read_all(root, ["kernel", "arch", "lib"], ".c"))
    if not models:
        problems.append("tests/spin: no model")
    print("\n".join(sorted(problems)) or f"{len(models)} models")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
