/* A machine in a process: its memory, its console, its beginning and its end. */
#include "host.h"
#include "machine.h"
#include <abi/exit.h>
#include <arch/boot.h>
#include <arch/console.h>
#include <arch/debug.h>
#include <arch/mmu.h>
#include <arch/upcall.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The same in every run, so that what depends on an address does not depend on the run: where the
 * sanitizer lets the program have memory. */
#if __has_feature(thread_sanitizer)
#define ARENA_ADDRESS 0x1000000000ul
#else
#define ARENA_ADDRESS 0x200000000000ul
#endif
#define STACK_BYTES    (512ul << 10)
#define IMAGE_BYTES    (512ul << 10)
#define CONSOLE_BYTES  (256u << 10)
#define POINTS_DEFAULT 300000000ul

char *host_arena;

static const struct host_config *config;
static struct host_context outside; /* host_boot()'s caller */
static void **stacks;               /* by frame */
static int exit_code = HOST_EXIT_PAUSED;
static bool hung;
static char console[CONSOLE_BYTES + 1];
static size_t console_used;

/* The kernel's memory is not on the sanitizer's heap. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=0";
}

/* A race ends the run, as everything else that is wrong. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1:abort_on_error=1:report_signal_unsafe=0:atexit_sleep_ms=0";
}

/* ---- memory */

static void *map_or_die(void *at, size_t bytes, int flags)
{
    void *p = mmap(at, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    if (p == MAP_FAILED || (at && p != at)) {
        perror("host: mmap");
        abort();
    }
    return p;
}

static void *stack_make(void)
{
    char *p = map_or_die(NULL, STACK_BYTES + PAGE_BYTES, 0);
    if (mprotect(p, PAGE_BYTES, PROT_NONE) != 0)
        abort();
    return p + PAGE_BYTES;
}

void *host_stack(const void *stack_beg, size_t *bytes)
{
    void **stack = &stacks[arch_ptr_to_paddr(stack_beg) >> PAGE_SHIFT];
    if (!*stack)
        *stack = stack_make();
    *bytes = STACK_BYTES;
    return *stack;
}

void host_boot_stack(struct host_context *c, void (*entry)(void *arg))
{
    context_init(c, stack_make(), STACK_BYTES, entry, NULL);
}

/* ---- console */

const char *host_console(void)
{
    return console;
}

void arch_console_write(const char *s, size_t n)
{
    if (config->verbose)
        fwrite(s, 1, n, stderr);
    n = MIN(n, (size_t)CONSOLE_BYTES);
    if (console_used + n > CONSOLE_BYTES) {
        size_t keep = CONSOLE_BYTES / 2 > n ? CONSOLE_BYTES / 2 - n : 0;
        keep = MIN(keep, console_used);
        memmove(console, console + console_used - keep, keep);
        console_used = keep;
    }
    memcpy(console + console_used, s, n);
    console_used += n;
    console[console_used] = '\0';
}

void arch_console_listen(void) {}
void arch_console_drain(void) {}

/* ---- debugging */

bool arch_trap_print(void (*print)(const char *fmt, ...), uintptr_t *fp, uintptr_t *pc)
{
    return false;
}

size_t arch_backtrace(uintptr_t fp, uintptr_t *pcs, size_t max)
{
    const struct host_context *c = cpu_self()->running;
    uintptr_t beg = (uintptr_t)c->stack_beg, end = beg + c->stack_bytes;
    size_t n = 0;
    if (!fp)
        fp = (uintptr_t)__builtin_frame_address(0);
    while (n < max && fp >= beg && fp + 16 <= end && fp % 8 == 0) {
        uintptr_t next = ((const uintptr_t *)fp)[0];
        pcs[n++] = ((const uintptr_t *)fp)[1];
        if (next <= fp)
            break;
        fp = next;
    }
    return n;
}

/* ---- beginning and end */

unsigned host_cpus_wanted(void)
{
    return config->cpus;
}

void host_hung(void)
{
    hung = true;
}

static void print_end(void)
{
    if (!config->verbose)
        fputs(console, stderr);
    fprintf(stderr, "host: %u CPUs, seed %lu, %lu points\n", config->cpus, config->seed,
            host_points());
    __sanitizer_print_stack_trace();
}

void host_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    print_end();
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

void arch_power_off(unsigned code)
{
    exit_code = hung ? HOST_EXIT_HANG : (int)code;
    if (code == EXIT_CODE_PANIC)
        print_end();
    sim_leave(&outside);
    __builtin_trap(); /* nobody comes back to a machine that is off */
}

static void boot_main(void *arg)
{
    static struct bootinfo info;
    size_t bytes = config->ram_bytes;
    paddr_t image = bytes - IMAGE_BYTES;
    info = (struct bootinfo){
        .cmdline = config->cmdline ? config->cmdline : "",
        .nram = 1,
        .ram = {{0, bytes}},
        .nreserved = 2,
        .reserved = {{0, PAGE_BYTES}, {image, bytes}},
        .initramfs = arch_paddr_to_ptr(image),
        .initramfs_bytes = image_build(arch_paddr_to_ptr(image), IMAGE_BYTES, config->programs),
    };
    kernel_main(&info);
}

static int run(void)
{
    sim_run(&outside);
    int code = exit_code;
    exit_code = HOST_EXIT_PAUSED; /* unless it powers off next time */
    return code;
}

int host_boot(const struct host_config *c)
{
    config = c;
    host_arena = map_or_die((void *)ARENA_ADDRESS, c->ram_bytes, MAP_FIXED_NOREPLACE);
    stacks = calloc(c->ram_bytes >> PAGE_SHIFT, sizeof *stacks);
    if (!stacks)
        abort();
    sim_init(c->seed, c->points_max ? c->points_max : POINTS_DEFAULT);
    user_init(c->programs);
    sim_start(0, boot_main);
    return run();
}

void host_pause(void)
{
    sim_leave(&outside);
}

int host_resume(void)
{
    return run();
}
