/* The registers of a user thread, as system calls see them, and its TLS. */
#include "cpu.h"
#include "x86.h"
#include <lib/err.h>

#define SYSCALL_BYTES 2 /* the length of the instruction */

/* arch_prctl(2) */
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

void arch_uregs_set_sp(struct arch_thread *t, uintptr_t sp)
{
    arch_uregs(t)->rsp = sp;
}

unsigned long arch_uregs_syscall(const struct arch_uregs *regs, unsigned long args[6])
{
    args[0] = regs->rdi;
    args[1] = regs->rsi;
    args[2] = regs->rdx;
    args[3] = regs->r10;
    args[4] = regs->r8;
    args[5] = regs->r9;
    return regs->rax;
}

void arch_uregs_set_result(struct arch_uregs *regs, long result)
{
    regs->rax = result;
}

void arch_uregs_restart(struct arch_uregs *regs, unsigned long nr)
{
    regs->rip -= SYSCALL_BYTES;
    regs->rax = nr;
}

void arch_uregs_no_restart(struct arch_uregs *regs, long result)
{
    regs->rip += SYSCALL_BYTES;
    regs->rax = (uint64_t)result;
}

uintptr_t arch_uregs_sp(const struct arch_uregs *regs)
{
    return regs->rsp;
}

int arch_tls_control(unsigned code, uintptr_t addr, uintptr_t *value, bool *is_getter)
{
    /* While the thread is in the kernel its GS base waits in the swapped register.  Both belong to
     * the thread: no matter if it moves to another CPU in between. */
    bool is_fs = code == ARCH_SET_FS || code == ARCH_GET_FS;
    uint32_t msr = is_fs ? MSR_FS_BASE : MSR_KERNEL_GS_BASE;
    switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (addr >= USER_END)
            return -EPERM;
        *is_getter = false;
        msr_write(msr, addr);
        return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
        *is_getter = true;
        *value = msr_read(msr);
        return 0;
    default:
        return -EINVAL;
    }
}

void arch_uregs_set_tls(struct arch_thread *t, uintptr_t base)
{
    t->fs_base = base;
}
