#!/usr/bin/env python3
"""Gives syscalls.py, rules.py, failpoints.py and models.py wrong input and demands that they notice."""
import unittest

import failpoints
import models
import rules
import syscalls

LINUX = {"read": 0, "write": 1, "open": 2}
SHOAL = {"lockRegion": 0x5004}
DECLARED = {"sys_read", "sys_write", "sys_lockRegion"}
GOOD = ['{0, "read", sys_read, R},', '{1, "write", sys_write, A | B},',
        '{SHOAL_SYS_lockRegion, "lockRegion",\n     sys_lockRegion, 0},']


def check(entries, declared=frozenset(DECLARED)):
    table = "static const struct sys_entry table[] = {\n    " + "\n    ".join(entries) + "\n};\n"
    return syscalls.check_table(table, LINUX, SHOAL, set(declared))


class SyscallsTest(unittest.TestCase):
    def test_good(self):
        self.assertEqual(check(GOOD), [])

    def one_problem(self, part, problems):
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(part, problems[0])

    def test_wrong(self):
        self.one_problem("Linux's number is 1", check([GOOD[0], '{3, "write", sys_write, 0},', GOOD[2]]))
        self.one_problem("no call of this name", check([GOOD[0], '{1, "wrote", sys_write, 0},', GOOD[2]]))
        self.one_problem("comes after 1", check([GOOD[1], GOOD[0], GOOD[2]]))
        self.one_problem("comes after 1", check([GOOD[0], GOOD[1], GOOD[1], GOOD[2]]))
        self.one_problem("is called lock", check(GOOD[:2] + ['{SHOAL_SYS_lockRegion, "lock", sys_lockRegion, 0},']))
        self.one_problem("not in include/abi", check(GOOD + ['{SHOAL_SYS_none, "none", sys_read, 0},']))
        self.one_problem("sys_write is not declared", check(GOOD, DECLARED - {"sys_write"}))
        self.one_problem("in no entry", check(GOOD, DECLARED | {"sys_open"}))
        self.one_problem("does not look", check(GOOD + ["{0},"]))


class FailpointsTest(unittest.TestCase):
    def test_ways_around(self):
        check = failpoints.check_text
        self.assertEqual(check("kernel/fs/file.c", "struct page *p = page_alloc(PAGE_KERNEL, 0, 0);"), [])
        self.assertEqual(check("kernel/fs/file.c", "/* as page_alloc_at() */"), [])
        self.assertIn("page_alloc_at()", check("kernel/fs/file.c", "p = page_alloc_at(use, 0, 0, 0);")[0])
        self.assertIn("schedule()", check("kernel/proc/exit.c", "    schedule(false);")[0])
        asks = "if (failpoint_hit(FAIL_ALLOC))"
        self.assertEqual(check("kernel/phys/pmem.c", asks + "\n" + asks), [])
        self.assertIn("1 times", check("kernel/phys/pmem.c", asks)[0])


MODEL = "/* A door.\n *\n * Stands for:\n *   kernel/a.c: one\n *               two\n *   kernel/b.c: three\n *\n * x */"
NAMES = "/* A file.\n *\n * Model: tests/spin/door.pml\n */\n"
SOURCES = {"kernel/a.c": NAMES + "int one(void)\n{\n}\nstatic void two(int i)\n{\n    one();\n}\n",
           "kernel/b.c": NAMES + "static bool three(void)\n{\n}\n", "kernel/c.c": "int one(void);\n"}


class ModelsTest(unittest.TestCase):
    def problems(self, **changed):
        sources = {**SOURCES, **{f"kernel/{name}.c": text for name, text in changed.items()}}
        return models.check({"tests/spin/door.pml": MODEL}, sources)

    def test_good(self):
        self.assertEqual(models.functions_of_files(MODEL), {"kernel/a.c": ["one", "two"], "kernel/b.c": ["three"]})
        self.assertEqual(self.problems(), [])

    def test_wrong(self):
        self.assertIn("no function three", self.problems(b=NAMES + "    three();\n")[0])
        self.assertIn("has no line", self.problems(b=SOURCES["kernel/b.c"].replace("Model", "model"))[0])
        self.assertIn("does not name it", self.problems(c=NAMES)[0])
        self.assertIn("does not say", models.check({"tests/spin/door.pml": "/* A door. */"}, {})[0])
        self.assertIn("there is no kernel/a.c", models.check({"tests/spin/door.pml": MODEL}, {})[0])


class RulesTest(unittest.TestCase):
    def test_named(self):
        self.assertEqual(rules.rules_named('int R8, A1; /* R07 (A10) */ f("R1: x"); // Z2\nX1 = "R11 B1 V3";'),
                         {"R7", "A10", "R1", "Z2"})

    def test_in_short(self):
        self.assertEqual(rules.in_short(["A1", "A2", "A3", "A10", "R1", "R3", "R4"]), "A1-A3 A10 R1 R3-R4")
        self.assertEqual(rules.in_short([]), "none")


if __name__ == "__main__":
    unittest.main()
