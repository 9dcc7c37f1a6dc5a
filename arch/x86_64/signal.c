/* Signal frames as the Linux x86-64 ABI lays them out (System V ABI and sigreturn(2); musl's and
 * glibc's ucontext_t). */
#include "cpu.h"
#include "fpu.h"
#include "x86.h"
#include <kernel/base/usercopy.h>
#include <lib/err.h>
#include <lib/string.h>

#define RED_ZONE_BYTES       128
#define SIGINFO_BYTES        128
#define FPSTATE_ALIGN        64
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/* What a handler may change in RFLAGS. */
#define SIGNAL_RFLAGS                                                                              \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF |           \
     RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
        rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap_nr, old_mask, cr2, fpstate, unused[8];
};

struct sigstack {
    uint64_t sp;
    int32_t flags;
    uint32_t unused;
    uint64_t bytes;
};

struct rt_sigframe {
    uint64_t restorer; /* where the handler returns to */
    uint64_t uc_flags, uc_link;
    struct sigstack uc_stack;
    struct sigcontext mc;
    uint64_t mask;
    uint8_t info[SIGINFO_BYTES];
};
_Static_assert(sizeof(struct sigcontext) == 256, "ABI");
_Static_assert(offsetof(struct rt_sigframe, mask) - offsetof(struct rt_sigframe, uc_flags) == 296,
               "ABI");
_Static_assert(sizeof(struct rt_sigframe) == 440, "ABI");

static void context_save(struct sigcontext *mc, const struct arch_uregs *regs,
                         const struct arch_thread *t)
{
    *mc = (struct sigcontext){
        .r8 = regs->r8,
        .r9 = regs->r9,
        .r10 = regs->r10,
        .r11 = regs->r11,
        .r12 = regs->r12,
        .r13 = regs->r13,
        .r14 = regs->r14,
        .r15 = regs->r15,
        .rdi = regs->rdi,
        .rsi = regs->rsi,
        .rbp = regs->rbp,
        .rbx = regs->rbx,
        .rdx = regs->rdx,
        .rax = regs->rax,
        .rcx = regs->rcx,
        .rsp = regs->rsp,
        .rip = regs->rip,
        .rflags = regs->rflags,
        .cs = USER_CS,
        .ss = USER_DS,
        .error = t->trap_error,
        .trap_nr = t->trap_nr,
        .cr2 = t->trap_cr2,
    };
}

static void context_restore(struct arch_uregs *regs, const struct sigcontext *mc)
{
    *regs = (struct arch_uregs){
        .r8 = mc->r8,
        .r9 = mc->r9,
        .r10 = mc->r10,
        .r11 = mc->r11,
        .r12 = mc->r12,
        .r13 = mc->r13,
        .r14 = mc->r14,
        .r15 = mc->r15,
        .rdi = mc->rdi,
        .rsi = mc->rsi,
        .rbp = mc->rbp,
        .rbx = mc->rbx,
        .rdx = mc->rdx,
        .rax = mc->rax,
        .rcx = mc->rcx,
        .vector = VECTOR_MADE,
        .rip = mc->rip,
        .cs = USER_CS,
        .rflags = (mc->rflags & SIGNAL_RFLAGS) | RFLAGS_IF | RFLAGS_ONE,
        .rsp = mc->rsp,
        .ss = USER_DS,
    };
}

/* Loads `area`, or the initial state when NULL, as the current thread's. */
static void fpu_replace(struct arch_thread *t, const uint8_t *area)
{
    bool irq = arch_irq_save();
    if (area)
        memcpy(t->fpu, area, FPU_BYTES);
    else
        fpu_reset(t->fpu);
    fpu_load(t->fpu);
    arch_irq_restore(irq);
}

/* Writes the FPU state.  A switch of threads during the copy saves the same state to the same place
 * again. */
static int fpstate_push(struct arch_thread *t, uintptr_t to)
{
    bool irq = arch_irq_save();
    fpu_save(t->fpu);
    arch_irq_restore(irq);
    return copy_to_user(to, t->fpu, FPU_BYTES);
}

int arch_signal_push(const struct arch_sigframe *sig)
{
    struct arch_thread *t = cpu_thread();
    struct arch_uregs *regs = arch_uregs(t);
    uintptr_t top = sig->altstack_top ? sig->altstack_top : regs->rsp - RED_ZONE_BYTES;
    uintptr_t fpstate = ALIGN_DOWN(top - FPU_BYTES, FPSTATE_ALIGN);
    /* At a function's first instruction the stack pointer is 8 below a multiple of 16. */
    uintptr_t at = ALIGN_DOWN(fpstate - sizeof(struct rt_sigframe), 16) - 8;
    struct rt_sigframe frame = {
        .restorer = sig->restorer,
        .uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
        .uc_stack = {.sp = sig->altstack_beg,
                     .flags = sig->altstack_flags,
                     .bytes = sig->altstack_bytes},
        .mask = sig->mask,
    };
    context_save(&frame.mc, regs, t);
    frame.mc.old_mask = sig->mask;
    frame.mc.fpstate = fpstate;
    memcpy(frame.info, sig->info, SIGINFO_BYTES);
    if (at < sig->lowest || fpstate_push(t, fpstate) != 0 ||
        copy_to_user(at, &frame, sizeof(frame)) != 0)
        return -EFAULT;

    fpu_replace(t, NULL);
    regs->vector = VECTOR_MADE;
    regs->rip = sig->handler;
    regs->rsp = at;
    regs->rax = 0;
    regs->rdi = sig->sig;
    regs->rsi = at + offsetof(struct rt_sigframe, info);
    regs->rdx = at + offsetof(struct rt_sigframe, uc_flags);
    regs->rflags &= ~(RFLAGS_DF | RFLAGS_TF | RFLAGS_RF);
    return 0;
}

int arch_signal_pop(uint64_t *mask)
{
    struct arch_thread *t = cpu_thread();
    struct arch_uregs *regs = arch_uregs(t);
    struct rt_sigframe frame;
    uint8_t fpu[FPU_BYTES] __attribute__((aligned(16)));
    /* The handler's return has taken the restorer's address off the stack. */
    uintptr_t at = regs->rsp - offsetof(struct rt_sigframe, uc_flags);
    if (copy_from_user(&frame, at, offsetof(struct rt_sigframe, info)) != 0)
        return -EFAULT;
    if (frame.mc.rip >= USER_END)
        return -EFAULT;
    if (frame.mc.fpstate != 0) {
        if (copy_from_user(fpu, frame.mc.fpstate, sizeof(fpu)) != 0)
            return -EFAULT;
        fpu_sanitize(fpu);
    }
    fpu_replace(t, frame.mc.fpstate ? fpu : NULL);
    context_restore(regs, &frame.mc);
    *mask = frame.mask;
    return 0;
}
