/* Shrimpy's pages as memory: who may do what with them, from when on they are there, and what is
 * left of them (S1 to S3).  Who sees whose: shrimpy.c. */
#define _GNU_SOURCE
#include "shrimpy.h"

static void jump(void *arg)
{
    *(volatile unsigned char *)arg = 0xc3;
    ((void (*)(void))arg)();
}

/* S2: read, write, never execute. */
static void case_never_execute(void)
{
    MUST_DIE(jump, (void *)FRY, SIGSEGV);
    MUST_DIE(jump, (void *)SHRIMP, SIGSEGV);
    CHECK_ERRNO(mprotect((void *)FRY, PAGE, PROT_READ | PROT_EXEC), ENOMEM); /* not there yet */
    fry[0] = 1;
    CHECK_ERRNO(mprotect((void *)FRY, PAGE, PROT_READ | PROT_EXEC), EACCES);
    CHECK_OK(mprotect((void *)FRY, PAGE, PROT_READ));
    CHECK_EQ(probe_write(fry), SIGSEGV);
    CHECK_EQ(fry[0], 1);
}

static void case_neighbours(void)
{
    fry[0] = shrimp[0] = 0;
    for (unsigned long at = SHRIMP - 2 * PAGE; at < SHRIMPY_TOP; at += PAGE)
        CHECK(probe_read((char *)at) == (at == FRY || at == SHRIMP ? 0 : SIGSEGV), "S1: %#lx", at);
}

/* Calls of the kernel touch them too. */
static void case_user_copies(void)
{
    struct gate g = gate_make();

    CHECK_EQ(write(g.fd[1], (char *)SHRIMP, 3), 3);
    CHECK_EQ(read(g.fd[0], (char *)FRY + 1, 3), 3);
    CHECK_EQ(write(g.fd[1], "abc", 3), 3);
    CHECK_EQ(read(g.fd[0], (char *)FRY, 3), 3);
    CHECK(fry[0] == 'a' && fry[2] == 'c', "S1: %d %d", fry[0], fry[2]);
    CHECK_ERRNO(write(g.fd[1], (char *)FRY + PAGE, 1), EFAULT);
}

static void touch_none(void *arg)
{
    CHECK_EQ(fry_pages(), *(unsigned *)arg);
}

/* S3: who never touches them has none. */
static void case_untouched(void)
{
    unsigned before = fry_pages();

    CHECK_EQ(before, 0);
    MUST_EXIT(touch_none, &before, 0);
    fry[0] = 1;
    before = fry_pages();
    CHECK_EQ(before, 1);
    MUST_EXIT(touch_none, &before, 0);
    shrimp[0] = 0;
    CHECK_EQ(fry_pages(), 1); /* the main program has one already */
}

/* Unmapped by hand it is still the process's: the next touch finds it. */
static void case_munmap(void)
{
    fry[5] = 5;
    CHECK_OK(munmap((void *)FRY, PAGE));
    CHECK_EQ(fry[5], 5);
    CHECK_EQ(fry_pages(), 1);
}

static void *touch_in_thread(void *arg)
{
    pthread_barrier_wait(arg);
    __atomic_fetch_add(&fry[0], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&shrimp[8], 1, __ATOMIC_RELAXED);
    return NULL;
}

static void touch_in_threads(CHECK_UNUSED void *arg)
{
    pthread_barrier_t start;
    pthread_t threads[3];

    CHECK_EQ(pthread_barrier_init(&start, NULL, 4), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, touch_in_thread, &start), 0);
    (void)touch_in_thread(&start);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(fry[0], 4);
    CHECK_EQ(fry_pages(), 2); /* its own and its parent's */
}

/* Several threads touch it at once: one page, one mapping. */
static void case_threads(void)
{
    for (int round = 0; round < 20; round++)
        MUST_EXIT(touch_in_threads, NULL, 0);
    CHECK_EQ(fry[8], 80);
}

static void add_one(void *arg)
{
    gate_pass(arg);
    for (int i = 0; i < 100; i++)
        __atomic_fetch_add((volatile int *)shrimp, 1, __ATOMIC_RELAXED);
}

/* Several children touch their parent's page first, at once. */
static void case_children_at_once(void)
{
    for (int round = 1; round <= 10; round++) {
        struct gate go = gate_make();
        pid_t pids[4];

        for (int i = 0; i < 4; i++)
            pids[i] = child_start(add_one, &go);
        gate_open(&go, 4);
        for (int i = 0; i < 4; i++)
            CHILD_EXITS(pids[i], 0);
        CHECK_EQ(*(volatile int *)fry, round * 400);
        close(go.fd[0]);
        close(go.fd[1]);
    }
}

static void storm(void *arg)
{
    struct rng rng = {(uintptr_t)arg};

    for (;;) {
        if (rng_below(&rng, 2))
            fry[rng_below(&rng, PAGE)] = 1;
        if (rng_below(&rng, 2))
            shrimp[rng_below(&rng, PAGE)] = 1;
        if (rng_below(&rng, 4) == 0)
            (void)munmap((void *)SHRIMP, 2 * PAGE);
        switch (rng_below(&rng, 8)) {
        case 0:
            if (fork() > 0)
                _exit(0); /* the chain goes on in the child */
            rng.state += (uintptr_t)getpid();
            break;
        case 1:
            if (fork() == 0)
                _exit(shrimp[0] == 2);
            break;
        }
    }
}

static void storm_family(void *arg)
{
    CHECK_OK(setpgid(0, 0));
    gate_open(((void **)arg)[0], 1);
    signal(SIGCHLD, SIG_IGN);
    storm(((void **)arg)[1]);
}

/* A4: kill -9 anywhere, in chains of orphans. */
static void case_kill(void)
{
    fry[0] = 0;
    for (uintptr_t round = 1; round <= 6; round++) {
        struct gate ready = gate_make();
        void *arg[2] = {&ready, (void *)(round * 77)};
        pid_t pid = child_start(storm_family, arg);
        int status;

        gate_pass(&ready);
        for (unsigned i = 0; i < round * 30; i++)
            sched_yield();
        do
            CHECK_OK(kill(-pid, SIGKILL)); /* again: one may have been about to fork */
        while (waitpid(pid, &status, WNOHANG) == 0);
        WAIT_UNTIL(kill(-pid, SIGKILL) < 0, "A4: the family does not end");
        WAIT_UNTIL(fry_pages() == 1, "A4: %s", region_table());
        close(ready.fd[0]);
        close(ready.fd[1]);
    }
}

/* A3: each allocation of a first touch failing in turn.  A call touches it, which says EFAULT. */
static void touch_failing(unsigned long page)
{
    unsigned before = fry_pages();

    for (unsigned n = 1;; n++) {
        struct fail_result r = fail_nth(n, SYS_clock_gettime, CLOCK_MONOTONIC, (long)page, 0);

        if (!r.delivered) {
            CHECK(r.result == 0 && n > 3, "S3: %ld, %u", r.result, n);
            return;
        }
        CHECK_EQ(r.result, -EFAULT);
        if (fry_pages() == before)
            continue;
        /* It was mapped, and what failed came later: now without making it. */
        CHECK(fry_pages() == before + 1 && n > 3, "A3: allocation %u: it is there", n);
        (void)*(volatile char *)page;
        CHECK_OK(munmap((void *)page, PAGE));
        before++;
        n = 0;
    }
}

static void touch_parent_failing(void *arg)
{
    touch_failing((unsigned long)arg);
}

static void case_failing_allocations(void)
{
    MUST_EXIT(touch_parent_failing, (void *)SHRIMP, 0);
    CHECK_EQ(fry_pages(), 1);
    MUST_EXIT(touch_parent_failing, (void *)FRY, 0);
    CHECK_EQ(fry_pages(), 1);
}

int main(void)
{
    fry[0] = 0;
    RUN(case_untouched);
    RUN(case_never_execute);
    RUN(case_neighbours);
    RUN(case_user_copies);
    RUN(case_munmap);
    RUN(case_threads);
    RUN(case_children_at_once);
    RUN(case_kill);
    RUN(case_failing_allocations);
    return check_done();
}
