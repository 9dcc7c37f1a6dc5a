#include <arch/cpu.h>
#include <kernel/base/context.h>
#include <kernel/base/printk.h>
#include <kernel/base/symtab.h>
#include <kernel/phys/failpoint.h>
#include <lib/string.h>

static const char *const kind_names[FAIL_KINDS] = {
    [FAIL_ALLOC] = "alloc", [FAIL_SLEEP] = "sleep", [FAIL_TIMEOUT] = "timeout"};

static struct failpoint *current[CPUS_MAX]; /* each CPU its own entry, interrupts off */
static unsigned machine[FAIL_KINDS];        /* atomic */

void failpoint_switch(struct failpoint *fp)
{
    current[arch_cpu_id()] = fp;
}

/* The kind that `text` begins with, followed by a colon; *end is behind that. */
static unsigned kind_parse(const char *text, const char **end)
{
    for (unsigned kind = 0; kind < FAIL_KINDS; kind++) {
        size_t n = strlen(kind_names[kind]);
        if (strncmp(text, kind_names[kind], n) == 0 && text[n] == ':') {
            *end = text + n + 1;
            return kind;
        }
    }
    return FAIL_KINDS;
}

err_t failpoint_set_machine(const char *text)
{
    unsigned counts[FAIL_KINDS] = {0};
    do {
        unsigned long n;
        unsigned kind = kind_parse(text, &text);
        if (kind == FAIL_KINDS || !str_to_u64(text, &text, &n) || n == 0 || n > UINT32_MAX)
            return -EINVAL;
        counts[kind] = (unsigned)n;
    } while (*text++ == ',');
    if (text[-1])
        return -EINVAL;
    for (unsigned kind = 0; kind < FAIL_KINDS; kind++)
        __atomic_store_n(&machine[kind], counts[kind], __ATOMIC_RELAXED);
    return 0;
}

static bool machine_hit(unsigned kind)
{
    unsigned left = __atomic_load_n(&machine[kind], __ATOMIC_RELAXED);
    do {
        if (left == 0)
            return false;
    } while (!__atomic_compare_exchange_n(&machine[kind], &left, left - 1, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    if (left > 1)
        return false;
    printk("shoal: fail=%s: fails here\n", kind_names[kind]);
    symtab_print_backtrace(0);
    return true;
}

bool failpoint_hit(unsigned kind)
{
    bool irq = irq_save();
    struct failpoint *fp = current[arch_cpu_id()];
    bool hit = fp && fp->countdown[kind] && --fp->countdown[kind] == 0;
    irq_restore(irq);
    return machine_hit(kind) || hit;
}
