"""gdb commands that know Shoal: shoal-regions, shoal-ps, shoal-threads, shoal-locks, shoal-vm PID.

They only read, and take no lock: a table that was being changed when the machine stopped is shown as far as it makes sense.
"""
import os
import sys

import gdb

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(os.path.expanduser(__file__))))
import shoal_walk as walk  # noqa: E402


def say(line=""):
    gdb.write(line + "\n")


def table(heads, rows):
    """Columns as wide as they need; the last one as it comes."""
    rows = [heads] + [[str(word) for word in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads) - 1)]
    for row in rows:
        say("  ".join([word.ljust(width) for word, width in zip(row, widths)] + [row[-1]]).rstrip())


# ---- What there is

def processes():
    return list(walk.radix_items(walk.symbol("by_pid"), "struct process"))


def process_threads(proc):
    return list(walk.list_items(proc["threads"], "struct uthread", "proc_node"))


def threads():
    """Every struct thread: the idle ones, then the others in order of age."""
    idle = walk.symbol("idle_threads")
    found = [idle[number] for number, _, _ in walk.cpus_online()]
    return found + list(walk.list_items(walk.symbol("all_threads"), "struct thread", "all_node"))


def contexts():
    return list(walk.tree_items(walk.symbol("by_id"), "struct smemcontext", "id_node"))


def thread_state(thread):
    state = walk.enum_word(thread["state"], "enum thread_state", "THREAD_")
    if int(thread["on_cpu"]):
        return f"running on CPU {int(thread['cpu'])}" if state == "runnable" else f"{state}, leaving CPU {int(thread['cpu'])}"
    return f"{state}, CPU {int(thread['cpu'])}" if state == "runnable" else state


def waiters_of(queue):
    """Addresses of the threads on a struct waitq."""
    return [int(waiter["thread"]) for waiter in walk.list_items(queue["waiters"], "struct waiter", "node")]


def region_waits():
    """struct thread * -> which region it waits for, and what of it."""
    waits = {}
    for ctx in contexts():
        name = walk.text(ctx["key"])
        for thread in waiters_of(ctx["unnamed_wait"]):
            waits[thread] = f'the end of region "{name}"'
        for waiter in walk.list_items(ctx["lock_waiters"], "struct lock_waiter", "node"):
            for thread in waiters_of(waiter["wake"]):
                waits[thread] = f'the lock of region "{name}"'
    return waits


def waits_for(thread, regions):
    """In words, for a blocked thread; "" for another."""
    if walk.enum_word(thread["state"], "enum thread_state", "THREAD_") != "blocked":
        return ""
    where = walk.sleeps_in(thread)
    what = regions.get(int(thread.address))
    return f"{what} ({where})" if what else where


# ---- The commands

class ShoalCommand(gdb.Command):
    """A command that takes no lock and may find anything."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_DATA)
        self.name = name

    def invoke(self, argument, from_tty):
        try:
            self.run(gdb.string_to_argv(argument))
        except walk.Unreadable as error:
            raise gdb.GdbError(f"{self.name}: {error}") from None
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{self.name}: {error}; the kernel is not up, or was stopped while it changed this") from None

    def run(self, args):
        raise NotImplementedError


class Regions(ShoalCommand):
    """The table of contexts: shoal-regions"""

    def run(self, args):
        by_as = {}
        for proc in processes():
            by_as.setdefault(int(proc["as"]), []).append(str(int(proc["pid"])))
        rows = []
        for ctx in contexts():
            creator, owner = ctx["creator"], ctx["lock_owner"]
            users = []
            for attach in walk.tree_items(ctx["attaches"], "struct shm_attach", "node"):
                pids = "+".join(by_as.get(int(attach["as"]), ["?"]))
                users.append(f"{pids}:{int(attach['mappings'])}")
            rows.append([
                walk.text(ctx["key"]), walk.enum_word(ctx["kind"], "enum shm_kind", "SHM_"), int(ctx["id"]),
                int(ctx["size_bytes"]), int(ctx["store"]["pages"]["count"]), int(ctx["mappings"]),
                walk.enum_word(ctx["state"], "enum shm_state", "SHM_"),
                int(creator["pid"]) if int(creator) else "-", int(owner["tid"]) if int(owner) else "-",
                sum(1 for _ in walk.list_items(ctx["lock_waiters"], "struct lock_waiter", "node")),
                " ".join(users) or "-"])
        table(["NAME", "KIND", "ID", "BYTES", "RESIDENT", "MAPPINGS", "STATE", "CREATOR", "LOCKED-BY", "WAITERS",
               "MAPPED-BY (pid:times)"], rows)


class Ps(ShoalCommand):
    """Processes and their threads: shoal-ps"""

    def run(self, args):
        regions = region_waits()
        rows = []
        for proc in processes():
            pid, parent = int(proc["pid"]), proc["parent"]
            state = walk.enum_word(proc["state"], "enum process_state", "PROCESS_")
            if int(proc["stopped"]):
                state += ", stopped"
            first = [pid, int(parent["pid"]) if int(parent) else "-", walk.text(proc["name"]), state]
            for ut in process_threads(proc) or [None]:
                if ut is None:
                    rows.append(first + ["-", "-", ""])
                else:
                    thread = ut["thread"]
                    rows.append(first + [int(ut["tid"]), thread_state(thread), waits_for(thread, regions)])
                first = ["", "", "", ""]
        table(["PID", "PPID", "NAME", "STATE", "TID", "THREAD", "WAITS FOR"], rows)


class Threads(ShoalCommand):
    """All threads, kernel threads too, with a backtrace of each: shoal-threads"""

    def run(self, args):
        local = {int(cpu["current"]): cpu for _, _, cpu in walk.cpus_online()}
        for thread in threads():
            say(f'thread {int(thread["id"])} "{walk.text(thread["name"])}" ({thread.address}): {thread_state(thread)}')
            cpu = local.get(int(thread.address))
            if cpu is None:
                frames = walk.blocked_frames(thread)
            else:
                registers = walk.cpu_registers(int(cpu["apic_id"]))
                frames = self.running_frames(thread, registers) if registers else []
            for number, pc in enumerate(frames):
                say(f"    #{number} {walk.place(pc)}")

    @staticmethod
    def running_frames(thread, registers):
        pc, fp = registers
        # An idle thread runs on the stack its CPU booted on, whose bounds only the frame pointers know.
        stack = int(thread["arch"]["stack_beg"]) or fp
        return walk.frames_from(pc, fp, stack) if pc >= walk.DIRECT_BASE else [pc]


class Locks(ShoalCommand):
    """Kernel locks held, by CPU and by thread; debug kernels only: shoal-locks"""

    def run(self, args):
        running = {int(cpu["current"]): number for number, _, cpu in walk.cpus_online()}
        found = 0
        for thread in threads():
            number = running.get(int(thread.address))
            who = f'thread {int(thread["id"])} "{walk.text(thread["name"])}"'
            found += self.show(f"CPU {number}, {who}" if number is not None else who, thread["locks"])
        boot = walk.symbol("boot_stacks")
        for number in range(boot.type.range()[1] + 1):
            found += self.show(f"CPU {number}, before its first thread", boot[number])
        if not found:
            say("no kernel lock is held (a release kernel keeps no record)")

    @staticmethod
    def show(who, stack):
        depth = min(int(stack["depth"]), stack["held"].type.range()[1] + 1)
        if depth:
            say(f"{who}:")
        for i in range(depth):
            held = stack["held"][i]
            rank = walk.enum_word(held["rank"], "enum lock_rank", "RANK_")
            say(f'    "{walk.text(held["name"])}" ({held["lock"]}, rank {rank}), taken at {walk.place(int(held["calls"][0]) - 1)}')
        return depth


class Vm(ShoalCommand):
    """The memregions of a process: shoal-vm PID"""

    def run(self, args):
        if len(args) != 1:
            raise gdb.GdbError("usage: shoal-vm PID")
        pid = int(gdb.parse_and_eval(args[0]))
        found = [proc for proc in processes() if int(proc["pid"]) == pid]
        if not found:
            raise gdb.GdbError(f"no process {pid}")
        space = found[0]["as"]
        if not int(space):
            raise gdb.GdbError(f"process {pid} has exited: no address space")
        space = space.dereference()
        rows = [self.row(region, int(space["vpmap"]["root"])) for region in
                walk.tree_items(space["regions"], "struct memregion", "node")]
        table(["BEG", "END", "PROT", "PAGES", "RESIDENT", "STORE-PAGE", "WHAT"], rows)
        say(f"heap {int(space['brk_beg']):#x} to {int(space['brk_end']):#x}; {int(space['mapped_pages'])} pages mapped, "
            f"{int(space['stats']['faults'])} faults")

    @staticmethod
    def row(region, root):
        beg, end, prot = int(region["beg"]), int(region["end"]), int(region["prot"])
        rights = "".join(c if prot & bit else "-" for c, bit in (("r", 1), ("w", 2), ("x", 4)))
        return [f"{beg:#x}", f"{end:#x}", rights + ("s" if int(region["shared"]) else "p"), (end - beg) >> 12,
                walk.resident_pages(root, beg, end), int(region["store_page"]) if int(region["mapping"]) else "-",
                Vm.what(region)]

    @staticmethod
    def what(region):
        if not int(region["mapping"]):
            return "stack" if int(region["stack"]) else "anonymous"
        store = region["mapping"]["store"]
        kind = walk.text(store["ops"]["name"])
        if int(store["ops"]["release"]) != int(walk.symbol("context_release").address):
            return kind
        return f'{kind} "{walk.text(walk.container_of(store, "struct smemcontext", "store")["key"])}"'


for command in (Regions, Ps, Threads, Locks, Vm):
    command("shoal-" + command.__name__.lower())
