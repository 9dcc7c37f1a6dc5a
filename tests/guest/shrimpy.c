/* Shrimpy's families: FRY, which a process shares with its children, who see it at SHRIMP (S1 to
 * S3).  The pages themselves: shrimpy_page.c. */
#define _GNU_SOURCE
#include "shrimpy.h"

static const char *self;

static void child_of_one(CHECK_UNUSED void *arg)
{
    CHECK_EQ(shrimp[0], 'p');
    CHECK_EQ(fry[0], 0); /* its own, not its parent's */
    fry[0] = 'c';
    shrimp[1] = 'c';
    CHECK_EQ(shrimp[0], 'p');
}

/* S1: the parent's fry page is the child's shrimp page. */
static void case_parent_and_child(void)
{
    for (unsigned i = 0; i < PAGE; i++)
        CHECK_EQ(fry[i], 0);
    fry[0] = 'p';
    MUST_EXIT(child_of_one, NULL, 0);
    MUST_EXIT(child_of_one, NULL, 0);
    CHECK(fry[0] == 'p' && fry[1] == 'c', "S1: %d %d", fry[0], fry[1]);
}

static void child_first(void *arg)
{
    CHECK_EQ(shrimp[7], *(char *)arg);
    shrimp[7] = 7;
}

/* S1: whoever touches it first. */
static void case_child_touches_first(void)
{
    char expect = 0;

    MUST_EXIT(child_first, &expect, 0);
    CHECK_EQ(fry[7], 7);
    expect = 7;
    MUST_EXIT(child_first, &expect, 0);
}

static void grandchild(CHECK_UNUSED void *arg)
{
    CHECK_EQ(shrimp[0], 'c');
    CHECK_EQ(fry[0], 0);
    shrimp[0] = 'g';
    fry[0] = 'x';
}

static void child_with_child(CHECK_UNUSED void *arg)
{
    CHECK_EQ(shrimp[0], 'p');
    fry[0] = 'c';
    MUST_EXIT(grandchild, NULL, 0);
    CHECK_EQ(fry[0], 'g');
    CHECK_EQ(shrimp[0], 'p');
}

/* S1: not a grandchild, not a sibling's child. */
static void case_grandchild(void)
{
    pid_t pids[2];

    fry[0] = 'p';
    for (int i = 0; i < 2; i++)
        pids[i] = child_start(child_with_child, NULL);
    for (int i = 0; i < 2; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_EQ(fry[0], 'p');
    CHECK_EQ(shrimp[0], 0); /* that of the test's main program */
}

static void family_child(void *arg)
{
    struct gate *gates = arg;

    CHECK_EQ(shrimp[0], gates[2].fd[0]);
    shrimp[1] = shrimp[0];
    gate_open(&gates[0], 1);
    gate_pass(&gates[1]);
    CHECK_EQ(shrimp[1], gates[2].fd[0]);
}

static void family(void *arg)
{
    struct gate *gates = arg;
    pid_t pids[2];

    fry[0] = (char)gates[2].fd[0];
    for (int i = 0; i < 2; i++)
        pids[i] = child_start(family_child, arg);
    for (int i = 0; i < 2; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_EQ(fry[1], fry[0]);
}

/* Two families at once do not see each other. */
static void case_two_families(void)
{
    struct gate gates[3] = {gate_make(), gate_make(), {{0, 0}}};
    pid_t pids[2];

    fry[0] = 99;
    for (int i = 0; i < 2; i++) {
        gates[2].fd[0] = 50 + i; /* the family's name */
        pids[i] = child_start(family, gates);
    }
    for (int i = 0; i < 4; i++)
        gate_pass(&gates[0]);
    gate_open(&gates[1], 4);
    for (int i = 0; i < 2; i++)
        CHILD_EXITS(pids[i], 0);
    CHECK_EQ(fry[0], 99);
}

struct orphanage {
    struct gate parent_gone, added, all_added, seen;
    char wrote;
};

static void orphan(void *arg)
{
    const struct orphanage *o = arg;

    gate_pass(&o->parent_gone);
    CHECK_EQ(shrimp[0], o->wrote);
    __atomic_fetch_add(&shrimp[1], 1, __ATOMIC_RELAXED);
    gate_open(&o->added, 1);
    gate_pass(&o->all_added);
    CHECK_EQ(shrimp[1], 2);
    gate_open(&o->seen, 1);
}

static void leave_orphans(void *arg)
{
    const struct orphanage *o = arg;

    if (o->wrote)
        fry[0] = o->wrote;
    for (int i = 0; i < 2; i++)
        (void)child_start(orphan, arg);
}

/* S3: the page outlives the process whose fry page it is, touched or not; the new parent's is
 * another. */
static void orphans_of(char wrote)
{
    struct orphanage o = {gate_make(), gate_make(), gate_make(), gate_make(), wrote};

    MUST_EXIT(leave_orphans, &o, 0);
    gate_open(&o.parent_gone, 2);
    for (int i = 0; i < 2; i++)
        gate_pass(&o.added);
    gate_open(&o.all_added, 2);
    for (int i = 0; i < 2; i++)
        gate_pass(&o.seen);
    WAIT_UNTIL(fry_pages() == 0, "S3: the last user frees:\n%s", region_table());
}

static void case_orphans(void)
{
    orphans_of('o');
    orphans_of(0);
}

/* S2: the program after exec sees what the process shared before. */
static int after_exec(void)
{
    CHECK(fry[0] == 'c' && shrimp[0] == 'p', "S2: %d %d", fry[0], shrimp[0]);
    fry[1] = 'C';
    shrimp[1] = 'S';
    MUST_EXIT(grandchild, NULL, 0);
    CHECK_EQ(fry[0], 'g');
    return 0;
}

static void exec_self(CHECK_UNUSED void *arg)
{
    fry[0] = 'c';
    CHECK_EQ(shrimp[0], 'p');
    execl(self, self, "after-exec", (char *)NULL);
    _exit(99);
}

static void case_exec(void)
{
    fry[0] = 'p';
    MUST_EXIT(exec_self, NULL, 0);
    CHECK_EQ(fry[1], 'S');
    CHECK_EQ(fry[0], 'p');
}

/* The program after vfork and exec: a child like any other. */
static int after_vfork(void)
{
    CHECK(fry[0] == 0 && shrimp[0] == 'v', "S2: %d %d", fry[0], shrimp[0]);
    fry[0] = 'n';
    shrimp[1] = 'e';
    return 0;
}

/* A child that borrows its parent's memory sees its parent's pages there. */
static void case_vfork(void)
{
    for (int touched = 0; touched < 2; touched++) {
        pid_t pid = vfork();

        if (pid == 0) {
            fry[0] = 'v';
            fry[2] = shrimp[0];
            execl(self, self, "after-vfork", (char *)NULL);
            _exit(99);
        }
        CHILD_EXITS(pid, 0);
        CHECK(fry[0] == 'v' && fry[1] == 'e' && fry[2] == 0, "S1: %d %d", fry[0], fry[1]);
        CHECK_EQ(shrimp[0], 0);
        fry[1] = 0;
    }
}

static struct gate host_gone, guest_saw;

static int guest_of_the_gone(CHECK_UNUSED void *arg)
{
    gate_pass(&host_gone);
    gate_open(&guest_saw, shrimp[0] == 'p');
    _exit(0);
}

static void leave_guest(void *arg)
{
    static char stack[16384];

    if (arg)
        CHECK_EQ(shrimp[0], 'p');
    CHECK_OK(clone(guest_of_the_gone, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

/* S3: a child that shares its parent's memory sees that parent's pages also when it has exited. */
static void case_host_exits(void)
{
    fry[0] = 'p';
    for (int touched = 0; touched < 2; touched++) {
        char c;

        host_gone = gate_make();
        guest_saw = gate_make();
        MUST_EXIT(leave_guest, touched ? &c : NULL, 0);
        gate_open(&host_gone, 1);
        close(guest_saw.fd[1]); /* when the guest dies, nobody will write */
        CHECK(read(guest_saw.fd[0], &c, 1) == 1, "S3: touched before: %d", touched);
    }
}

static void vfork_first(CHECK_UNUSED void *arg)
{
    pid_t pid = vfork();

    if (pid == 0) {
        fry[0] = 'f';
        _exit(0);
    }
    CHILD_EXITS(pid, 0);
    CHECK_EQ(fry[0], 'f');
    CHECK_EQ(munmap((void *)FRY, PAGE), 0);
    CHECK_EQ(fry[0], 'f');
}

/* The page it made there is the parent's, and stays. */
static void case_vfork_touches_first(void)
{
    MUST_EXIT(vfork_first, NULL, 0);
    WAIT_UNTIL(fry_pages() == 0, "S3: the last user frees:\n%s", region_table());
}

static void stranger(CHECK_UNUSED void *arg)
{
    become_stranger();
    shrimp[0] = 's'; /* S1: it is its child all the same */
    fry[0] = 't';
}

static void case_other_user(void)
{
    MUST_EXIT(stranger, NULL, 0);
    CHECK_EQ(fry[0], 's');
}

static void case_failing_fork(void)
{
    fry[0] = 1;
    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_fork, 0, 0, 0);

        if (r.result == 0)
            _exit(shrimp[0] != 1);
        if (r.result > 0)
            CHILD_EXITS((pid_t)r.result, 0);
        CHECK_EQ(fry_pages(), 1);
        if (!r.delivered)
            return;
        CHECK(r.result == -ENOMEM || r.result == -EAGAIN, "A5: allocation %u: %ld", n, r.result);
    }
}

/* S2: pid 1 has no parent; it has a fry page, and so have its children. */
static int as_init(void)
{
    struct gate g = gate_make();

    CHECK_EQ(probe_read(shrimp), SIGSEGV);
    CHECK_ERRNO(write(g.fd[1], (char *)SHRIMP, 1), EFAULT);
    MUST_EXIT(child_first, (char[]){0}, 0);
    CHECK_EQ(fry[7], 7);
    CHECK_EQ(probe_read(shrimp), SIGSEGV);
    return 0;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (getpid() == 1)
        return as_init();
    if (argc > 1)
        return strcmp(argv[1], "after-exec") == 0 ? after_exec() : after_vfork();
    fry[0] = 0;
    RUN(case_parent_and_child);
    RUN(case_child_touches_first);
    RUN(case_grandchild);
    RUN(case_two_families);
    RUN(case_orphans);
    RUN(case_exec);
    RUN(case_vfork);
    RUN(case_vfork_touches_first);
    RUN(case_host_exits);
    RUN(case_other_user);
    RUN(case_failing_fork);
    return check_done();
}
