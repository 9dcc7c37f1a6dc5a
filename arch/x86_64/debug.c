/* What a panic prints of the machine. */
#include "cpu.h"
#include "trap.h"
#include "x86.h"
#include <arch/debug.h>

#define CANONICAL_BITS 47

/* Can the page be read without side effects?  Walks the tables that are loaded now. */
static bool page_readable(uintptr_t va)
{
    pte_t entry = cr3_read();
    for (int shift = 39; shift >= PAGE_SHIFT; shift -= 9) {
        const pte_t *table = arch_paddr_to_ptr(pte_paddr(entry));
        entry = table[(va >> shift) % 512];
        if (!pte_present(entry))
            return false;
        if (shift == PAGE_SHIFT || (entry & PTE_LARGE))
            break;
    }
    return !(entry & PTE_UNCACHED);
}

/* Is [p, p+n) mapped, readable kernel memory? */
static bool kernel_readable(const void *p, size_t n)
{
    uintptr_t beg = (uintptr_t)p, end = beg + n;
    /* The upper half, and neither wrapped nor to the last byte. */
    if (end < beg || (intptr_t)beg >> CANONICAL_BITS != -1)
        return false;
    for (uintptr_t va = ALIGN_DOWN(beg, PAGE_BYTES); va < end; va += PAGE_BYTES) {
        if (!page_readable(va))
            return false;
    }
    return true;
}

size_t arch_backtrace(uintptr_t fp, uintptr_t *pcs, size_t max)
{
    size_t n = 0;
    /* Every lock of a debug kernel comes here: the thread's own stack needs no look at page tables.
     */
    const struct arch_thread *self = cpu_self()->thread;
    uintptr_t stack_beg = self ? (uintptr_t)self->stack_beg : 0;
    if (fp == 0)
        fp = *(const uintptr_t *)__builtin_frame_address(0);
    while (n < max && IS_ALIGNED(fp, 8) &&
           (fp - stack_beg <= KSTACK_BYTES - 2 * sizeof(uintptr_t) ||
            kernel_readable((const void *)fp, 2 * sizeof(uintptr_t)))) {
        const uintptr_t *frame = (const uintptr_t *)fp;
        if (frame[1] == 0)
            break;
        pcs[n++] = frame[1];
        if (frame[0] <= fp)
            break; /* stacks grow down: anything else is damage, or the end */
        fp = frame[0];
    }
    return n;
}

bool arch_trap_print(void (*print)(const char *fmt, ...), uintptr_t *fp, uintptr_t *pc)
{
    const struct arch_uregs *r = cpu_self()->trap;
    if (!r)
        return false;
    print("trap %lu %s, error 0x%lx, in %s mode, cr2 0x%lx, cr3 0x%lx\n", r->vector,
          vector_name(r->vector), r->error, from_user(r) ? "user" : "kernel", cr2_read(),
          cr3_read());
    print("rip %016lx  rsp %016lx  rflags %08lx  cs %02lx  ss %02lx\n", r->rip, r->rsp, r->rflags,
          r->cs, r->ss);
    print("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    print("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
    print("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
    print("r13 %016lx  r14 %016lx  r15 %016lx\n", r->r13, r->r14, r->r15);
    *fp = r->rbp;
    *pc = r->rip;
    return true;
}
