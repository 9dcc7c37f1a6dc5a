#include <arch/cpu.h>
#include <kernel/phys/failpoint.h>

static struct failpoint *current[CPUS_MAX]; /* each CPU its own entry, interrupts off */

void failpoint_switch(struct failpoint *fp)
{
    current[arch_cpu_id()] = fp;
}

bool failpoint_hit(void)
{
    bool irq = arch_irq_save();
    struct failpoint *fp = current[arch_cpu_id()];
    bool hit = fp && fp->countdown && --fp->countdown == 0;
    arch_irq_restore(irq);
    return hit;
}
