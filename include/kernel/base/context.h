/* Where code runs, and what it may do there: sleep, fault, turn interrupts on.  Checked in debug
 * builds; every violation is a panic that shows the calls, and those that took the locks held. */
#pragma once

#include <arch/cpu.h>

/* Around what an interrupt handler calls (arch/upcall.h).  Interrupts off, and they stay off; a
 * lock that is taken in between is released in between. */
void interrupt_enter(void);
void interrupt_leave(void);

/* In a handler: no sleeping lock, no allocation, no user memory, and interrupts stay off. */
void assert_not_interrupt(const char *what);

/* Panics when this context may not sleep: in an interrupt handler, interrupts off or a spin lock
 * held.  `what` says who asks. */
void assert_may_sleep(const char *what);

/* The same for a sleep that lets go of spin lock `lock`, which is held: it is the only one. */
void assert_may_sleep_on(const void *lock, const char *what);

/* Panics when a page fault could deadlock here: where nothing may sleep, and under locks that the
 * fault may take, which is all but those of the file tree and of vnodes. */
void assert_may_fault(const char *what);

/* Panics when the current thread holds any lock (on return to user mode). */
void assert_no_locks(const char *what);

/* Panics when it holds a spin lock (on a switch to another thread). */
void assert_no_spin_locks(const char *what);

/* The checks of the functions below. */
void irq_check_enable(void);
void irq_check_restore(bool was_on);

/* Interrupts of this CPU.  They are never turned on while a spin lock is held or in a handler, and
 * between irq_save and its irq_restore they stay off. */
static inline bool irq_save(void)
{
    return arch_irq_save();
}

static inline void irq_restore(bool was_on)
{
    if (KERNEL_DEBUG)
        irq_check_restore(was_on);
    arch_irq_restore(was_on);
}

static inline void irq_enable(void)
{
    if (KERNEL_DEBUG)
        irq_check_enable();
    arch_irq_enable();
}

static inline void irq_disable(void)
{
    arch_irq_disable();
}
