#include <abi/exit.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/debug.h>
#include <kernel/base/lockrank.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/stackdepth.h>
#include <kernel/base/symtab.h>
#include <lib/fmt.h>

#define NOBODY 0u

/* The CPU that panics, plus one. */
static unsigned owner;

bool panicking(void)
{
    return __atomic_load_n(&owner, __ATOMIC_RELAXED) != NOBODY;
}

bool panicking_here(void)
{
    unsigned cpu_plus_1 = __atomic_load_n(&owner, __ATOMIC_RELAXED);
    return cpu_plus_1 != NOBODY && cpu_plus_1 == arch_cpu_id() + 1;
}

/* Makes this CPU the one that panics.  A second panic of the same CPU ends the machine; the other
 * CPUs wait here to be stopped. */
static void claim(void)
{
    unsigned expected = NOBODY;
    unsigned me = arch_cpu_id() + 1;
    if (__atomic_compare_exchange_n(&owner, &expected, me, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return;
    if (expected == me)
        arch_power_off(EXIT_CODE_PANIC);
    for (;;)
        arch_cpu_relax();
}

/* `frame` is that of the function that was called to panic. */
static _Noreturn void finish(void (*report)(void), void *frame, const char *fmt, va_list ap)
{
    arch_irq_disable();
    claim();
    arch_stop_others();

    if (report)
        report();
    char message[512];
    fmt_vsnprint(message, sizeof(message), fmt, ap);
    printk("\npanic: %s\n", message);
    printk("panic: on CPU %u of %u\n", arch_cpu_id(), arch_cpu_count());

    /* Of a trap, the interesting frames are those of the interrupted code; of a call, those of the
     * caller. */
    uintptr_t fp = 0, pc = 0;
    if (arch_trap_print(printk, &fp, &pc)) {
        printk("panic: trapped at\n");
        symtab_print_pc(0, pc);
        if (fp)
            symtab_print_backtrace(fp);
    }
    printk("panic: called from\n");
    symtab_print_backtrace((uintptr_t)frame);
    lock_rank_print();
    stack_depth_print();

    arch_console_drain();
    arch_power_off(EXIT_CODE_PANIC);
}

void panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    finish(NULL, __builtin_frame_address(0), fmt, ap);
}

void panic_with(void (*report)(void), const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    finish(report, __builtin_frame_address(0), fmt, ap);
}
