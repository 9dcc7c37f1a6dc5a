"""Reading the kernel's structures from outside, for shoal.py.

The machine may have been stopped anywhere: half-way through a list's change, in user mode, before the kernel's page tables.
So every walk is bounded and stops at what it cannot read.
"""
import functools

import gdb

WALK_MAX = 200000
BACKTRACE_MAX = 24
KSTACK_BYTES = 16384
USER_END = 0x00007fffffffe000
DIRECT_BASE = 0xffff800000000000
PTE_PADDR = 0x000ffffffffff000
PTE_PRESENT, PTE_LARGE, PTE_NO_ACCESS = 1 << 0, 1 << 7, 1 << 9

# What every sleeper has below the function that wants something, innermost first.
SLEEP_FUNCTIONS = {
    "stack_switch", "arch_switch", "schedule", "block_current", "waitq_sleep", "thread_sleep_until", "thread_yield",
    "sched_preempt",
}


class Unreadable(Exception):
    """The kernel's memory or its symbols are not there."""


def symbol(name):
    """A variable of the kernel, static ones too."""
    try:
        return gdb.parse_and_eval(name)
    except gdb.error as error:
        raise Unreadable(f"{name}: {error}") from None


@functools.lru_cache(maxsize=None)
def pointer_to(type_name):
    return gdb.lookup_type(type_name).pointer()


@functools.lru_cache(maxsize=None)
def offset_of(type_name, member):
    return next(f.bitpos // 8 for f in gdb.lookup_type(type_name).fields() if f.name == member)


def container_of(pointer, type_name, member):
    return gdb.Value(int(pointer) - offset_of(type_name, member)).cast(pointer_to(type_name)).dereference()


@functools.lru_cache(maxsize=None)
def enum_names(type_name):
    """Value -> name; the last one where two are equal: RANK_SPIN is only a mark in front of RANK_CTABLE."""
    return {field.enumval: field.name for field in gdb.lookup_type(type_name).fields()}


def enum_word(value, type_name, prefix):
    """THREAD_BLOCKED -> blocked"""
    return enum_names(type_name).get(int(value), str(int(value))).removeprefix(prefix).lower()


def text(value, limit=160):
    """A char array or a char * of the kernel."""
    if int(value.address if value.type.code == gdb.TYPE_CODE_ARRAY else value) == 0:
        return "-"
    if value.type.code == gdb.TYPE_CODE_ARRAY:
        limit = value.type.sizeof
        value = value.address.cast(pointer_to("char"))
    data = gdb.selected_inferior()
    chars = bytearray()
    for i in range(limit):
        byte = data.read_memory(int(value) + i, 1)[0]
        if byte == b"\0":
            break
        chars += byte
    return chars.decode("utf-8", "backslashreplace")


def list_items(head, type_name, member):
    """The structures of a list, in order."""
    beg = int(head.address)
    node = head["next"]
    for _ in range(WALK_MAX):
        if int(node) in (beg, 0):
            return
        yield container_of(node, type_name, member)
        node = node["next"]


def tree_items(tree, type_name, member):
    """The structures of an rbtree, in order."""
    above, node = [], tree["root"]
    for _ in range(WALK_MAX):
        while int(node) and len(above) < 128:
            above.append(node)
            node = node["left"]
        if not above:
            return
        node = above.pop()
        yield container_of(node, type_name, member)
        node = node["right"]


def radix_items(tree, type_name):
    """The items of a radix tree, in order."""
    def below(slot, height):
        if not int(slot):
            return
        if height == 0:
            yield slot.cast(pointer_to(type_name)).dereference()
            return
        node = slot.cast(pointer_to("struct radix_node")).dereference()
        slots = node["slots"]
        for i in range(slots.type.range()[1] + 1):
            yield from below(slots[i], height - 1)
    yield from below(tree["root"], int(tree["height"]))


def functions_at(pc):
    """The functions `pc` is in, inlined ones first."""
    names = []
    try:
        block = gdb.block_for_pc(pc)
    except (RuntimeError, gdb.error):
        block = None
    while block and not (block.is_static or block.is_global):
        if block.function:
            names.append(block.function.name)
        block = block.superblock
    if names:
        return names
    # Assembly has symbols only: "stack_switch + 12 in section .text"
    words = gdb.execute(f"info symbol {pc:#x}", to_string=True).split()
    return [words[0]] if words and words[0] != "No" else []


def place(pc):
    """function (file:line) of a return address or a program counter."""
    if 0 <= pc < USER_END:
        return f"{pc:#x} (user)"
    names = functions_at(pc)
    line = gdb.find_pc_line(pc)
    where = f" ({line.symtab.filename.rsplit('/', 1)[-1]}:{line.line})" if line.symtab else ""
    return f"{pc:#x} {names[-1] if names else '?'}{where}"


def frames_from(pc, fp, stack_beg):
    """Program counters from a frame pointer up, on one kernel stack."""
    inferior = gdb.selected_inferior()
    pcs = [pc]
    while len(pcs) < BACKTRACE_MAX and stack_beg <= fp <= stack_beg + KSTACK_BYTES - 16 and fp % 8 == 0:
        try:
            frame = inferior.read_memory(fp, 16).tobytes()
        except gdb.MemoryError:
            break
        above, pc = int.from_bytes(frame[:8], "little"), int.from_bytes(frame[8:], "little")
        if pc == 0 or above <= fp and above != 0:
            break
        # The call, not what follows it.
        pcs.append(pc - 1)
        fp = above
    return pcs


def blocked_frames(thread):
    """The frames of a thread that is on no CPU: what stack_switch left on its stack."""
    rsp = int(thread["arch"]["rsp"])
    # An idle thread has the stack its CPU booted on, whose bounds are not in the thread.
    beg = int(thread["arch"]["stack_beg"]) or rsp
    if rsp == 0 or not beg <= rsp <= beg + KSTACK_BYTES - 56:
        return []
    try:
        saved = gdb.selected_inferior().read_memory(rsp + 40, 16).tobytes()
    except gdb.MemoryError:
        return []
    rbp, pc = int.from_bytes(saved[:8], "little"), int.from_bytes(saved[8:], "little")
    return frames_from(pc - 1, rbp, beg)


def sleeps_in(thread):
    """The functions that put a blocked thread to sleep: "wait_for_lock < shm_lock < sys_lockRegion"."""
    names = [name for pc in blocked_frames(thread) for name in functions_at(pc)]
    while names and names[0] in SLEEP_FUNCTIONS:
        names.pop(0)
    wanted = []
    for name in names:
        wanted.append(name)
        if name.startswith("sys_") or len(wanted) == 4:
            break
    return " < ".join(wanted)


def cpus_online():
    """(number, struct cpu of the scheduler, struct cpu_local) of each CPU that runs."""
    sched, local = symbol("sched_cpus"), symbol("cpus")
    for i in range(sched.type.range()[1] + 1):
        if int(sched[i]["online"]):
            yield i, sched[i], local[i]


def cpu_registers(apic_id):
    """(pc, frame pointer) of a CPU; QEMU numbers them in the order of their APIC ids.  None when gdb does not know it."""
    selected = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            if thread.num == apic_id + 1:
                thread.switch()
                frame = gdb.newest_frame()
                return int(frame.read_register("rip")), int(frame.read_register("rbp"))
    except gdb.error:
        pass
    finally:
        if selected:
            selected.switch()
    return None


def resident_pages(root, beg, end):
    """Pages of [beg, end) that the page table with this PML4 has, by walking it through the direct map."""
    inferior = gdb.selected_inferior()

    def count(table, level, table_beg):
        data = inferior.read_memory(table, 4096).tobytes()
        shift = 12 + 9 * level
        first = max(0, (beg - table_beg) >> shift)
        last = min(512, (end - 1 - table_beg >> shift) + 1)
        n = 0
        for i in range(first, last):
            pte = int.from_bytes(data[8 * i:8 * i + 8], "little")
            if level == 0:
                n += bool(pte & (PTE_PRESENT | PTE_NO_ACCESS))
            elif pte & PTE_PRESENT and not pte & PTE_LARGE:
                n += count(DIRECT_BASE + (pte & PTE_PADDR), level - 1, table_beg + (i << shift))
        return n
    return count(int(root), 3, 0)
