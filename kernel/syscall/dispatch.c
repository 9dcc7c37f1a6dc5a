/* From the trap to the handler and back. */
#include <arch/thread.h>
#include <arch/upcall.h>
#include <kernel/base/cmdline.h>
#include <kernel/base/printk.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/sys.h>

/* trace=syscall: calls this kernel does not have, and in full with trace=syscalls. */
static void trace_unknown(unsigned long nr, const unsigned long args[6])
{
    if (cmdline_has("trace", "syscall") || cmdline_has("trace", "syscalls"))
        printk("shoal: %s[%d]: unknown system call %lu (%#lx, %#lx, %#lx)\n",
               process_current()->name, process_current()->pid, nr, args[0], args[1], args[2]);
}

static void trace_call(const struct sys_entry *entry, const unsigned long args[6], long result)
{
    if (cmdline_has("trace", "syscalls"))
        printk("shoal: %s[%d]: %s(%#lx, %#lx, %#lx) = %ld\n", process_current()->name,
               process_current()->pid, entry->name, args[0], args[1], args[2], result);
}

static enum restart restart_when(unsigned flags)
{
    if (flags & SYS_RESTART_ALWAYS)
        return RESTART_ALWAYS;
    return flags & SYS_RESTART_NO_HANDLER ? RESTART_NO_HANDLER : RESTART_SA_RESTART;
}

void kernel_syscall(struct arch_uregs *regs)
{
    unsigned long args[6];
    unsigned long nr = arch_uregs_syscall(regs, args);
    const struct sys_entry *entry = sys_lookup(nr);
    if (!entry) {
        trace_unknown(nr, args);
        arch_uregs_set_result(regs, -ENOSYS);
        return;
    }
    long result = entry->handler(args);
    trace_call(entry, args, result);
    if (result == -EINTR && (entry->flags & SYS_RESTARTS))
        signal_set_restart(nr, restart_when(entry->flags));
    /* exec and sigreturn that succeeded have set every register already. */
    if (!(entry->flags & SYS_SETS_REGISTERS) || result < 0)
        arch_uregs_set_result(regs, result);
}
