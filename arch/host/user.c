/* User mode: C functions of the host, on the thread's own stack, that come into the kernel by
 * system calls and faults, and are stopped by signals and the end of their process. */
#include "host.h"
#include "machine.h"
#include <arch/mmu.h>
#include <arch/upcall.h>
#include <kernel/base/usercopy.h>
#include <lib/err.h>
#include <string.h>

#define SYS_RT_SIGACTION 13
#define SYS_RT_SIGRETURN 15
#define SYS_EXIT_GROUP   231
#define SIG_BUS          7
#define SIG_SEGV         11
#define SA_NODEFER_FLAG  0x40000000ul
#define SA_RESTORER_FLAG 0x04000000ul
#define HANDLER_BASE     0x10000ul /* handlers' "addresses" */
#define HANDLERS_MAX     32
#define RED_ZONE_BYTES   128

static const struct host_program *programs;
static void (*handlers[HANDLERS_MAX])(int sig);

void user_init(const struct host_program *list)
{
    programs = list;
}

static struct arch_thread *self(void)
{
    return cpu_self()->thread;
}

/* ---- threads and their registers (arch/thread.h) */

void arch_thread_init(struct arch_thread *t, void *stack_beg, void (*entry)(void *arg), void *arg,
                      bool user)
{
    size_t bytes;
    void *stack = host_stack(stack_beg, &bytes);
    *t = (struct arch_thread){.stack_beg = stack_beg};
    context_init(&t->context, stack, bytes, entry, arg);
}

void arch_switch(struct arch_thread *prev, struct arch_thread *next)
{
    struct cpu_local *cpu = cpu_self();
    if (!prev->context.stack_beg) { /* the CPU's boot context becomes its idle thread's */
        prev->context.stack_beg = cpu->running->stack_beg;
        prev->context.stack_bytes = cpu->running->stack_bytes;
    }
    cpu->thread = next;
    cpu->running = &next->context;
    context_switch(&prev->context, &next->context);
}

/* The guard page below the stack is what checks. */
bool arch_stack_ok(const struct arch_thread *t)
{
    return true;
}

struct arch_uregs *arch_uregs(struct arch_thread *t)
{
    return &t->uregs;
}

void arch_uregs_exec(struct arch_thread *t, uintptr_t pc, uintptr_t sp)
{
    t->uregs = (struct arch_uregs){.pc = pc, .sp = sp};
    t->exec = true;
}

void arch_uregs_fork(struct arch_thread *child, struct arch_thread *parent)
{
    child->uregs = parent->uregs;
    child->uregs.run = parent->uregs.child_run;
    child->uregs.arg = parent->uregs.child_arg;
    child->uregs.result = 0;
}

void arch_uregs_set_sp(struct arch_thread *t, uintptr_t sp)
{
    t->uregs.sp = sp;
}

void arch_uregs_set_tls(struct arch_thread *t, uintptr_t base)
{
    t->uregs.tls = base;
}

unsigned long arch_uregs_syscall(const struct arch_uregs *regs, unsigned long args[6])
{
    memcpy(args, regs->syscall_args, sizeof regs->syscall_args);
    return regs->syscall_nr;
}

void arch_uregs_set_result(struct arch_uregs *regs, long result)
{
    regs->result = result;
}

void arch_uregs_restart(struct arch_uregs *regs, unsigned long nr)
{
    regs->syscall_nr = nr;
    regs->restart = true;
}

void arch_uregs_no_restart(struct arch_uregs *regs, long result)
{
    regs->restart = false;
    regs->result = result;
}

uintptr_t arch_uregs_sp(const struct arch_uregs *regs)
{
    return regs->sp;
}

int arch_tls_control(unsigned code, uintptr_t addr, uintptr_t *value, bool *is_getter)
{
    enum {
        SET_FS = 0x1002,
        GET_FS = 0x1003
    };
    *is_getter = code == GET_FS;
    if (code == GET_FS)
        *value = self()->uregs.tls;
    else if (code == SET_FS && addr < USER_END)
        self()->uregs.tls = addr;
    else
        return code == SET_FS ? -EPERM : -EINVAL;
    return 0;
}

/* ---- signals */

/* On the user's stack: what the handler interrupted. */
struct frame {
    uint64_t magic;
    struct arch_uregs regs;
    uint64_t mask;
    uint8_t info[128];
};
#define FRAME_MAGIC 0x5163f7a3e5163f7aul

int arch_signal_push(const struct arch_sigframe *sig)
{
    struct arch_uregs *regs = &self()->uregs;
    struct frame frame = {.magic = FRAME_MAGIC, .regs = *regs, .mask = sig->mask};
    uintptr_t top = sig->altstack_top ? sig->altstack_top : regs->sp - RED_ZONE_BYTES;
    uintptr_t at = ALIGN_DOWN(top - sizeof frame, 16);
    memcpy(frame.info, sig->info, sizeof frame.info);
    if (at < sig->lowest || copy_to_user(at, &frame, sizeof frame) != 0)
        return -EFAULT;
    regs->sp = at;
    regs->handler = sig->handler;
    regs->handler_sig = sig->sig;
    regs->restart = false;
    return 0;
}

int arch_signal_pop(uint64_t *mask)
{
    struct arch_uregs *regs = &self()->uregs;
    struct frame frame;
    if (copy_from_user(&frame, regs->sp, sizeof frame) != 0 || frame.magic != FRAME_MAGIC)
        return -EFAULT;
    *regs = frame.regs;
    *mask = frame.mask;
    return 0;
}

uintptr_t host_handler(void (*handler)(int sig))
{
    for (unsigned i = 0; i < HANDLERS_MAX; i++) {
        void (*none)(int sig) = NULL;
        if (__atomic_compare_exchange_n(&handlers[i], &none, handler, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST) ||
            none == handler)
            return HANDLER_BASE + i;
    }
    __builtin_trap();
}

/* ---- in and out of the kernel */

static void enter_kernel(void)
{
    self()->user_mode = false;
}

_Noreturn static void user_main(void);

static void run_handlers(void)
{
    struct arch_uregs *regs = &self()->uregs;
    while (regs->handler) {
        uintptr_t number = regs->handler - HANDLER_BASE;
        regs->handler = 0;
        void (*handler)(int sig) =
            number < HANDLERS_MAX ? __atomic_load_n(&handlers[number], __ATOMIC_SEQ_CST) : NULL;
        if (handler)
            handler(regs->handler_sig);
        HOST_SYSCALL(SYS_RT_SIGRETURN);
    }
}

/* Back to the program: which may be a new one, or first have a signal to handle. */
static void leave_kernel(void)
{
    struct arch_thread *t = self();
    arch_irq_disable();
    kernel_return_to_user();
    if (t->exec)
        context_restart(&t->context, user_main);
    t->user_mode = true;
    arch_irq_enable();
    run_handlers();
}

/* Instructions of the program pass: interrupts come. */
static void user_point(void)
{
    host_point();
    run_handlers();
}

void arch_enter_user(void)
{
    context_restart(&self()->context, user_main);
}

/* The program that the file at pc is. */
static int run_program(struct arch_thread *t)
{
    uint64_t text;
    if (host_fetch(t->uregs.pc) != 0 || host_load(t->uregs.pc, &text, sizeof text) != 0)
        return 127;
    unsigned number = (unsigned)(text - PROGRAM_MAGIC);
    for (unsigned i = 0; i <= number; i++)
        if (!programs[i].path)
            return 127;
    return programs[number].main(t->uregs.sp);
}

static void user_main(void)
{
    struct arch_thread *t = self();
    t->exec = false;
    leave_kernel();
    int status = t->uregs.run ? t->uregs.run(t->uregs.arg) : run_program(t);
    for (;;)
        HOST_SYSCALL(SYS_EXIT_GROUP, (unsigned long)status);
}

long host_syscall(unsigned long nr, const unsigned long args[6])
{
    user_point();
    struct arch_thread *t = self();
    t->uregs.syscall_nr = nr;
    memcpy(t->uregs.syscall_args, args, sizeof t->uregs.syscall_args);
    do {
        t->uregs.restart = false;
        enter_kernel();
        kernel_syscall(&t->uregs);
        leave_kernel();
    } while (t->uregs.restart);
    return t->uregs.result;
}

long host_in_kernel(long (*fn)(void *arg), void *arg)
{
    user_point();
    enter_kernel();
    long result = fn(arg);
    leave_kernel();
    return result;
}

void host_child(int (*run)(uintptr_t arg), uintptr_t arg)
{
    self()->uregs.child_run = run;
    self()->uregs.child_arg = arg;
}

uintptr_t host_stack_pointer(void)
{
    return self()->uregs.sp;
}

/* ---- memory */

static void note_fault(int sig)
{
    self()->fault_caught = sig;
}

void host_catch_faults(void)
{
    struct {
        unsigned long handler, flags, restorer, mask;
    } action = {host_handler(note_fault), SA_NODEFER_FLAG | SA_RESTORER_FLAG, HANDLER_BASE, 0};
    /* The structure must be in user memory: below the stack pointer nobody minds. */
    uintptr_t at = self()->uregs.sp - 4 * RED_ZONE_BYTES;
    if (host_store(at, &action, sizeof action) != 0)
        __builtin_trap();
    HOST_SYSCALL(SYS_RT_SIGACTION, SIG_SEGV, at, 0, 8);
    HOST_SYSCALL(SYS_RT_SIGACTION, SIG_BUS, at, 0, 8);
}

/* Where the byte at va is, faulting it in; NULL with the signal in *sig. */
static char *touch(uintptr_t va, unsigned access, int *sig)
{
    struct arch_thread *t = self();
    for (;;) {
        user_point();
        char *p = va >= USER_BEG && va < USER_END ? tlb_translate(va, access) : NULL;
        if (p)
            return p;
        enter_kernel();
        (void)kernel_page_fault(va, access, true);
        leave_kernel();
        if (t->fault_caught) {
            *sig = t->fault_caught;
            t->fault_caught = 0;
            return NULL;
        }
    }
}

static int copy(uintptr_t va, char *data, size_t bytes, unsigned access)
{
    while (bytes) {
        int sig = 0;
        size_t n = MIN(bytes, PAGE_BYTES - va % PAGE_BYTES);
        char *p = touch(va, access, &sig);
        if (!p)
            return sig;
        if (access == VP_WRITE)
            tlb_copy(p, data, n);
        else
            tlb_copy(data, p, n);
        va += n;
        data += n;
        bytes -= n;
    }
    return 0;
}

int host_load(uintptr_t va, void *to, size_t bytes)
{
    return copy(va, to, bytes, VP_READ);
}

int host_store(uintptr_t va, const void *from, size_t bytes)
{
    return copy(va, (char *)from, bytes, VP_WRITE);
}

int host_fetch(uintptr_t va)
{
    int sig = 0;
    return touch(va, VP_EXEC, &sig) ? 0 : sig;
}

int host_add_u32(uintptr_t va, uint32_t n, uint32_t *old)
{
    int sig = 0;
    uint32_t *p = (uint32_t *)touch(va, VP_WRITE, &sig);
    if (!p)
        return sig;
    *old = __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST);
    return 0;
}
