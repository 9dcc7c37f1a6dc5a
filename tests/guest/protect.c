/* A6: an access that is not allowed is SIGSEGV for the process that made it, and for nobody else.
 */
#define _GNU_SOURCE /* memfd_create */
#include <sys/mman.h>

#include "child.h"
#include "probe.h"

static const char constant[4096] = "read only";

static void write_to(void *p)
{
    *(volatile char *)p = 1;
}

static void read_from(void *p)
{
    (void)*(volatile char *)p;
}

static void jump_to(void *p)
{
    void (*fn)(void) = (void (*)(void))(uintptr_t)p;

    fn();
}

static void case_text_and_constants(void)
{
    MUST_DIE(write_to, (void *)(uintptr_t)case_text_and_constants, SIGSEGV);
    MUST_DIE(write_to, (void *)constant, SIGSEGV);
    CHECK_EQ(constant[0], 'r');
}

static void case_data_is_not_code(void)
{
    static unsigned char ret[16] = {0xc3};
    unsigned char on_stack[16] = {0xc3};
    unsigned char *on_heap = malloc(16);
    unsigned char *mapped =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(on_heap && mapped != MAP_FAILED, "memory");
    *on_heap = *mapped = 0xc3;
    MUST_DIE(jump_to, ret, SIGSEGV);
    MUST_DIE(jump_to, on_stack, SIGSEGV);
    MUST_DIE(jump_to, on_heap, SIGSEGV);
    MUST_DIE(jump_to, mapped, SIGSEGV);
    CHECK_OK(mprotect(mapped, 4096, PROT_READ | PROT_EXEC));
    MUST_EXIT(jump_to, mapped, 0);
    MUST_DIE(write_to, mapped, SIGSEGV);
    CHECK_OK(mprotect(mapped, 4096, PROT_READ));
    MUST_DIE(jump_to, mapped, SIGSEGV);
}

/* Whatever is allowed, reading is: before the first access and after it, with a page of a file, of
 * the process alone, or shared with a child since a fork. */
static void case_any_right_reads(void)
{
    static const int rights[] = {PROT_WRITE, PROT_EXEC, PROT_WRITE | PROT_EXEC};
    static const int kinds[] = {MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED};
    int fd = memfd_create("m", 0);

    CHECK(fd >= 0, "memfd");
    CHECK_OK(ftruncate(fd, 3 * 4096));
    for (unsigned i = 0; i < 9; i++) {
        int prot = rights[i % 3], flags = kinds[i / 3];
        char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, flags, i < 3 ? -1 : fd, 0);

        CHECK(p != MAP_FAILED, "mmap");
        p[0] = 1;
        (void)*(volatile char *)(p + 4096);
        CHECK_OK(mprotect(p, 3 * 4096, PROT_NONE));
        CHECK_EQ(probe_read(p), SIGSEGV);
        CHECK_OK(mprotect(p, 3 * 4096, prot));
        MUST_EXIT(read_from, p, 0);
        for (unsigned page = 0; page < 3; page++) {
            CHECK_EQ(probe_read(p + page * 4096), 0);
            CHECK_EQ(probe_write(p + page * 4096), prot & PROT_WRITE ? 0 : SIGSEGV);
            CHECK_EQ(probe_read(p + page * 4096), 0);
        }
        CHECK_EQ(*(volatile char *)p, 1);
        CHECK_OK(mprotect(p, 3 * 4096, PROT_NONE));
        CHECK_EQ(probe_read(p), SIGSEGV);
        CHECK_OK(munmap(p, 3 * 4096));
    }
    CHECK_OK(close(fd));
}

static void case_addresses_nobody_has(void)
{
    const uintptr_t where[] = {0,
                               8,
                               4095,
                               0x7ffffffff000,
                               0x7fffffffffff,
                               0x800000000000,
                               0x8000000000000000,
                               0xffff7fffffffffff,
                               0xffff800000000000,
                               0xffffffff80000000,
                               0xffffffff80200000,
                               0xfffffffffffff000,
                               UINTPTR_MAX};

    for (unsigned i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        MUST_DIE(read_from, (void *)where[i], SIGSEGV);
        MUST_DIE(write_to, (void *)where[i], SIGSEGV);
        MUST_DIE(jump_to, (void *)where[i], SIGSEGV);
    }
}

/* Walks over all of the kernel's half in large steps. */
static void case_kernel_half(void)
{
    for (uintptr_t top = 256; top < 512; top += 3)
        CHECK_EQ(probe_read((void *)(0xffff000000000000 | top << 39)), SIGSEGV);
    for (uintptr_t at = 0xffffffff80000000; at < 0xffffffff81000000; at += 0x40000)
        CHECK_EQ(probe_read((void *)at), SIGSEGV);
    for (uintptr_t at = 0xffff800000000000; at < 0xffff800004000000; at += 0x100000)
        CHECK_EQ(probe_write((void *)at), SIGSEGV);
}

/* One process's faults are nobody else's: a parent computes while its children die. */
static void case_others_go_on(void)
{
    pid_t pids[20];

    for (unsigned i = 0; i < 20; i++)
        pids[i] =
            child_start(i % 2 ? write_to : jump_to, (void *)(uintptr_t)(0xffff800000000000 + i));
    for (unsigned i = 0; i < 20; i++)
        CHILD_DIES(pids[i], SIGSEGV);
}

int main(void)
{
    RUN(case_text_and_constants);
    RUN(case_data_is_not_code);
    RUN(case_any_right_reads);
    RUN(case_addresses_nobody_has);
    RUN(case_kernel_half);
    RUN(case_others_go_on);
    return check_done();
}
