#!/usr/bin/env python3
"""Plants violations in a small tree and demands that layers.py finds each, and nothing else."""
import os
import tempfile
import unittest

import layers

CLEAN = {
    "CMakeLists.txt": "",
    "README.md": "",
    ".gitignore": "",
    "include/abi/errno.h": "#pragma once\n",
    "include/lib/err.h": "#pragma once\n#include <abi/errno.h>\n#include <stdint.h>\n",
    "include/arch/cpu.h": "#pragma once\n#include <lib/err.h>\n#include <machine/cpu.h>\n",
    "include/kernel/base/panic.h": "#pragma once\n#include <lib/err.h>\n",
    "include/kernel/mm/memstore.h": "#pragma once\n#include <kernel/base/panic.h>\n",
    "kernel/mm/memstore.c": '#include <kernel/mm/memstore.h>\n#include "mm_local.h"\n#include <arch/cpu.h>\n',
    "kernel/main.c": "#include <kernel/mm/memstore.h>\n",
    "lib/err.c": "#include <lib/err.h>\n#if __has_attribute(no_builtin)\n#endif\n",
    "arch/x86_64/boot.c": "#include <kernel/base/panic.h>\n#include <machine/cpu.h>\n",
    "arch/x86_64/machine/cpu.h": "#include <lib/err.h>\n",
    "user/init/init.c": "#include <stdio.h>\n#include <abi/errno.h>\n",
}

# file, its text, a part of the message
PLANTED = [
    ("kernel/base/up.c", "#include <kernel/mm/memstore.h>\n", "kernel/base/up.c:1: <kernel/mm/memstore.h> (layer"),
    ("include/kernel/base/up.h", "\n#include <kernel/mm/memstore.h>\n", "include/kernel/base/up.h:2: "),
    ("lib/up.c", "#include <arch/cpu.h>\n", "(layer arch) is above this file (layer lib)"),
    ("include/arch/up.h", "#include <kernel/base/panic.h>\n", "is above this file (layer arch)"),
    ("arch/x86_64/up.c", "#include <kernel/mm/memstore.h>\n", "is above this file"),
    ("arch/x86_64/machine/up.h", "#include <kernel/base/panic.h>\n", "is above this file"),
    ("kernel/mm/machine.c", "#include <machine/cpu.h>\n", "is for include/arch only"),
    ("kernel/mm/libc.c", "#include <stdio.h>\n", "<stdio.h> is not a header of the kernel"),
    ("kernel/mm/path.c", '#include "../base/panic.h"\n', "leaves its folder"),
    ("kernel/net/layer.c", "#include <lib/err.h>\n", "no layer is called kernel/net"),
    ("kernel/mm/test.c", "  # ifdef UNIT_TEST\n", "no variants here"),
    ("lib/debug.c", "#if KERNEL_DEBUG\n", "no variants here"),
    ("user/init/peek.c", "#include <kernel/mm/memstore.h>\n", "a program of the guest"),
    ("include/arch/large.h", "\n" * layers.ARCH_LINES_MAX, "must be under"),
    ("kernel/mm/irq.c", "arch_irq_restore(irq);\n", "kernel/mm/irq.c:1: arch_irq_restore: use"),
    ("kernel/proc/copy.c", "return arch_copy_to_user(a, b, n);\n", "arch_copy_to_user: use"),
    ("notes.txt", "", "notes.txt: does not belong"),
]


def plant(root, files):
    for path, text in files.items():
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)


class LayersTest(unittest.TestCase):
    def test_clean_tree(self):
        with tempfile.TemporaryDirectory() as root:
            plant(root, CLEAN)
            self.assertEqual(layers.check_tree(root), [])

    def test_planted_violations(self):
        for path, text, message in PLANTED:
            with self.subTest(path), tempfile.TemporaryDirectory() as root:
                plant(root, CLEAN)
                plant(root, {path: text})
                problems = layers.check_tree(root)
                self.assertEqual(len(problems), 1, problems)
                self.assertIn(message, problems[0])


if __name__ == "__main__":
    unittest.main()
