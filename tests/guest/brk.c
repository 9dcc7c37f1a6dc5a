/* brk: grows, shrinks, and what comes back is zero.  The C library must not move it meanwhile: raw
 * calls only. */
#include <sys/syscall.h>

#include <shoal/syscall.h>

#include "child.h"
#include "probe.h"

static uintptr_t set_brk(uintptr_t to)
{
    return (uintptr_t)shoal_syscall(SYS_brk, (long)to, 0, 0, 0);
}

static void case_grow_and_shrink(void)
{
    uintptr_t start = set_brk(0), top;
    char *p;

    CHECK(start != 0, "brk(0)");
    top = (start + 4095) & ~4095ul;
    CHECK_EQ(set_brk(top), top);
    CHECK_EQ(set_brk(top + 3 * 4096), top + 3 * 4096);
    p = (char *)top;
    CHECK_EQ(probe_write(p + 3 * 4096 - 1), 0);
    CHECK_EQ(probe_read(p + 3 * 4096), SIGSEGV);
    memset(p, 5, 3 * 4096);
    CHECK_EQ(set_brk(top + 4096), top + 4096);
    CHECK_EQ(probe_read(p + 4096), SIGSEGV);
    CHECK_EQ(p[4095], 5);
    CHECK_EQ(set_brk(top + 2 * 4096), top + 2 * 4096);
    CHECK_EQ(p[4096], 0);
    CHECK_EQ(set_brk(top), top);
    CHECK_EQ(probe_read(p), SIGSEGV);
}

static void case_refusals(void)
{
    uintptr_t now = set_brk(0);

    CHECK_EQ(set_brk(1), now);
    CHECK_EQ(set_brk(0x7fffffffffff), now);
    CHECK_EQ(set_brk(UINTPTR_MAX), now);
    CHECK_EQ(set_brk(now + 1), now + 1);
    CHECK_EQ(set_brk(now), now);
}

static void child_grows(void *arg)
{
    uintptr_t top = (uintptr_t)arg;

    CHECK_EQ(set_brk(top + 65536), top + 65536);
    CHECK_EQ(probe_write((char *)top + 65535), 0);
}

static void case_fork_has_its_own(void)
{
    uintptr_t top = (set_brk(0) + 4095) & ~4095ul;

    CHECK_EQ(set_brk(top), top);
    MUST_EXIT(child_grows, (void *)top, 0);
    CHECK_EQ(set_brk(0), top);
    CHECK_EQ(probe_read((char *)top), SIGSEGV);
}

int main(void)
{
    RUN(case_grow_and_shrink);
    RUN(case_refusals);
    RUN(case_fork_has_its_own);
    return check_done();
}
