#define _GNU_SOURCE /* pthread_getattr_np */
#include "host_support.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include <abi/exit.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/debug.h>
#include <arch/mmu.h>
#include <arch/poison.h>
#include <kernel/phys/pmem.h>

static _Thread_local struct host_cpu this_cpu = {.irq_on = true};
char *host_arena;

void (*host_while_waiting)(void);
static unsigned cpu_count = 1;
static char console[65536];
static size_t console_used;
static int power_off_fd = -1; /* in a child of host_run_forked: where its console goes */

struct host_cpu *host_cpu_self(void)
{
    return &this_cpu;
}

/* Nothing ever interrupts a POSIX thread that is a CPU. */
void host_point(void) {}

/* A host CPU may be one of many threads on one processor: give it up, or a spin lasts a time slice.
 */
void arch_cpu_relax(void)
{
    if (host_while_waiting)
        host_while_waiting();
    sched_yield();
}

uint64_t arch_cycles(void)
{
    static _Thread_local uint64_t cycles;
    return cycles += 1000;
}

const char *host_console(void)
{
    console[console_used] = '\0';
    return console;
}

void host_console_clear(void)
{
    console_used = 0;
}

void arch_console_write(const char *s, size_t n)
{
    n = MIN(n, sizeof(console) - 1 - console_used);
    memcpy(console + console_used, s, n);
    console_used += n;
}

void arch_console_drain(void) {}

unsigned arch_cpu_count(void)
{
    return cpu_count;
}

void arch_stop_others(void) {}

/* The end of the running thread's stack, as far up as a frame can be. */
static uintptr_t stack_end(void)
{
    static _Thread_local uintptr_t end;
    if (!end) {
        pthread_attr_t attr;
        void *beg;
        size_t bytes;
        assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
        assert_int_equal(pthread_attr_getstack(&attr, &beg, &bytes), 0);
        pthread_attr_destroy(&attr);
        end = (uintptr_t)beg + bytes;
    }
    return end;
}

/* Code of the C library has no frame pointers, so what looks like a frame may be anything on the
 * stack. */
__attribute__((no_sanitize("address"))) size_t arch_backtrace(uintptr_t fp, uintptr_t *pcs,
                                                              size_t max)
{
    uintptr_t floor = (uintptr_t)__builtin_frame_address(0);
    size_t n = 0;
    if (fp == 0)
        fp = *(const uintptr_t *)floor;
    while (n < max && IS_ALIGNED(fp, sizeof(uintptr_t)) && fp > floor &&
           fp + 2 * sizeof(uintptr_t) <= stack_end()) {
        const uintptr_t *frame = (const uintptr_t *)fp;
        if (frame[1] == 0)
            break;
        pcs[n++] = frame[1];
        floor = fp;
        fp = frame[0];
    }
    return n;
}

bool arch_trap_print(void (*print)(const char *fmt, ...), uintptr_t *fp, uintptr_t *pc)
{
    return false;
}

void arch_poison(const void *p, size_t n)
{
    ASAN_POISON_MEMORY_REGION(p, n);
}

void arch_unpoison(const void *p, size_t n)
{
    ASAN_UNPOISON_MEMORY_REGION(p, n);
}

static void send_console(void)
{
    for (size_t sent = 0; sent < console_used;) {
        ssize_t n = write(power_off_fd, console + sent, console_used - sent);
        if (n <= 0)
            _exit(254);
        sent += (size_t)n;
    }
}

void arch_power_off(unsigned code)
{
    if (power_off_fd >= 0) {
        send_console();
        _exit((int)code);
    }
    fprintf(stderr, "%s", host_console());
    abort();
}

int host_run_forked(void (*fn)(void *arg), void *arg)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(fds[0]);
        power_off_fd = fds[1];
        host_console_clear();
        fflush(stderr);
        dup2(fds[1], STDERR_FILENO); /* a sanitizer's report is read like the console */
        fn(arg);
        send_console();
        _exit(EXIT_CODE_OK);
    }
    close(fds[1]);
    host_console_clear();
    ssize_t n;
    while ((n = read(fds[0], console + console_used, sizeof(console) - 1 - console_used)) > 0)
        console_used += (size_t)n;
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

void host_expect_panic(void (*fn)(void *arg), void *arg, const char *text)
{
    int code = host_run_forked(fn, arg);
    if (code != EXIT_CODE_PANIC || !strstr(host_console(), text) ||
        !strstr(host_console(), "\npanic: "))
        fail_msg("wanted a panic with \"%s\"; exit code %d, console:\n%s", text, code,
                 host_console());
}

void host_expect_report(void (*fn)(void *arg), void *arg, const char *text)
{
    int code = host_run_forked(fn, arg);
    if (code == EXIT_CODE_OK || code == EXIT_CODE_PANIC || !strstr(host_console(), text))
        fail_msg("wanted a report with \"%s\"; exit code %d, console:\n%s", text, code,
                 host_console());
}

void host_arena_make(size_t bytes)
{
    /* Aligned to the largest block, so that a block is as aligned in the process as in "physical"
     * memory. */
    size_t align = PAGE_BYTES << PMEM_ORDER_MAX;
    char *p = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    host_arena = (char *)ALIGN_UP((uintptr_t)p, align);
}

void host_memory_init(size_t bytes, size_t reserved_bytes)
{
    host_arena_make(bytes);
    struct bootinfo info = {.cmdline = "", .nram = 1, .ram = {{0, bytes}}};
    if (reserved_bytes) {
        info.nreserved = 1;
        info.reserved[0] = (struct prange){0, reserved_bytes};
    }
    pmem_init(&info);
}

struct cpu_start {
    unsigned cpu;
    void (*fn)(unsigned cpu);
};

static void *cpu_main(void *arg)
{
    const struct cpu_start *start = arg;
    host_cpu_self()->id = start->cpu;
    start->fn(start->cpu);
    return NULL;
}

void host_run_cpus(unsigned cpus, void (*fn)(unsigned cpu))
{
    pthread_t threads[CPUS_MAX];
    struct cpu_start starts[CPUS_MAX];
    cpu_count = cpus;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        starts[cpu] = (struct cpu_start){.cpu = cpu, .fn = fn};
        assert_int_equal(pthread_create(&threads[cpu], NULL, cpu_main, &starts[cpu]), 0);
    }
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        assert_int_equal(pthread_join(threads[cpu], NULL), 0);
    cpu_count = 1;
}
