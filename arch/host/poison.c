/* Memory that is not in use: AddressSanitizer watches the kernel's accesses, the model of the TLB
 * those of user programs. */
#include "sim.h"
#include <arch/mmu.h>
#include <arch/poison.h>
#include <sanitizer/asan_interface.h>

void arch_poison(const void *p, size_t n)
{
    if (sim_others_stand_still() && IS_ALIGNED((uintptr_t)p | n, PAGE_BYTES))
        tlb_check_unused(arch_ptr_to_paddr(p), n);
    ASAN_POISON_MEMORY_REGION(p, n);
}

void arch_unpoison(const void *p, size_t n)
{
    ASAN_UNPOISON_MEMORY_REGION(p, n);
}
