#include <arch/debug.h>
#include <kernel/base/printk.h>
#include <kernel/base/symtab.h>

/* Made by the build from the first link, which has none of them.  Addresses ascend; an empty name
 * marks a gap or the end of the text. */
extern const uint32_t symtab_count __attribute__((weak));
extern const uint64_t symtab_addrs[] __attribute__((weak));
extern const uint32_t symtab_name_offsets[] __attribute__((weak));
extern const char symtab_names[] __attribute__((weak));

#define FRAMES_MAX 32

const char *symtab_lookup(uintptr_t pc, uintptr_t *offset)
{
    const uint32_t *count = &symtab_count;
    if (!count || *count == 0 || pc < symtab_addrs[0])
        return NULL;
    uint32_t low = 0, high = *count; /* addrs[low] <= pc < addrs[high], with an infinite last one */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (symtab_addrs[middle] <= pc)
            low = middle;
        else
            high = middle;
    }
    const char *name = symtab_names + symtab_name_offsets[low];
    if (!*name)
        return NULL;
    *offset = pc - symtab_addrs[low];
    return name;
}

/* `back`: 1 for a return address, which may be the first byte of the next function; 0 for an exact
 * pc. */
static void print_frame(unsigned frame, uintptr_t pc, uintptr_t back)
{
    uintptr_t offset;
    const char *name = symtab_lookup(pc - back, &offset);
    if (name)
        printk("    #%u %#018lx %s+%#lx\n", frame, (unsigned long)pc, name,
               (unsigned long)(offset + back));
    else
        printk("    #%u %#018lx\n", frame, (unsigned long)pc);
}

void symtab_print_pc(unsigned frame, uintptr_t pc)
{
    print_frame(frame, pc, 0);
}

void symtab_print_calls(const uintptr_t *pcs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        print_frame((unsigned)i, pcs[i], 1);
}

void symtab_print_backtrace(uintptr_t fp)
{
    uintptr_t pcs[FRAMES_MAX];
    symtab_print_calls(pcs, arch_backtrace(fp, pcs, FRAMES_MAX));
}
