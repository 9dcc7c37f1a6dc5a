/* What each CPU sets up for itself: control registers, GDT, TSS, SYSCALL. */
#include "cpu.h"
#include "entry.h"
#include "tlb.h"
#include "x86.h"

struct cpu_local cpus[CPUS_MAX];
uint8_t cpu_has_smap;

_Static_assert(offsetof(struct cpu_local, self) == CPU_SELF, "layout.h");
_Static_assert(offsetof(struct cpu_local, current) == CPU_CURRENT && CPU_CURRENT == 8,
               "machine/cpu.h");
_Static_assert(offsetof(struct cpu_local, kstack_top) == CPU_KSTACK_TOP, "layout.h");
_Static_assert(offsetof(struct cpu_local, user_rsp) == CPU_USER_RSP, "layout.h");
_Static_assert(offsetof(struct cpu_local, id) == CPU_ID && CPU_ID == 32, "machine/cpu.h");
_Static_assert(sizeof(struct tss) == 104, "SDM vol. 3, 8.7");

/* Code and data segments: present, code/data, 4 GiB, granular; the base and limit do not count in
 * 64-bit mode. */
#define SEG_CODE64    0x00af9b000000fffful
#define SEG_DATA      0x00cf93000000fffful
#define SEG_DPL3      (3ul << 45)
#define TSS_AVAILABLE (0x89ul << 40)

static void gdt_load(struct cpu_local *cpu)
{
    uint64_t tss = (uintptr_t)&cpu->tss;
    cpu->gdt[KERNEL_CS / 8] = SEG_CODE64;
    cpu->gdt[KERNEL_DS / 8] = SEG_DATA;
    cpu->gdt[USER_DS / 8] = SEG_DATA | SEG_DPL3;
    cpu->gdt[USER_CS / 8] = SEG_CODE64 | SEG_DPL3;
    cpu->gdt[TSS_SEL / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | TSS_AVAILABLE |
                            (tss >> 24 & 0xff) << 56;
    cpu->gdt[TSS_SEL / 8 + 1] = tss >> 32;

    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) gdtr = {sizeof(cpu->gdt) - 1, (uintptr_t)cpu->gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%ss\n\t"
                     "movl %3, %%ds\n\t"
                     "movl %3, %%es\n\t"
                     "movl %3, %%fs\n\t"
                     "movl %3, %%gs\n\t"
                     "lldt %w3\n\t"
                     "ltr %w4"
                     :
                     : "m"(gdtr), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SEL)
                     : "rax", "memory");
}

/* The features of CPUID leaf 1 and 0x80000001 that every x86-64 CPU worth booting has. */
static bool cpu_features_ok(void)
{
    const uint32_t fpu = 1u << 0, tsc = 1u << 4, apic = 1u << 9, pge = 1u << 13, fxsr = 1u << 24,
                   sse2 = 1u << 26;
    const uint32_t need = fpu | tsc | apic | pge | fxsr | sse2;
    const uint32_t syscall = 1u << 11, nx = 1u << 20;
    return (cpuid(1, 0).edx & need) == need && cpuid(0x80000000, 0).eax >= 0x80000001 &&
           (cpuid(0x80000001, 0).edx & (syscall | nx)) == (syscall | nx);
}

static void control_registers_set(void)
{
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_NXE | EFER_SCE);
    uint64_t cr0 = cr0_read() & ~(CR0_EM | CR0_TS | CR0_NW | CR0_CD);
    cr0_write(cr0 | CR0_MP | CR0_NE | CR0_WP | CR0_AM);

    /* No FSGSBASE: user mode could then load a GS base that looks like the kernel's, and the
     * entries that decide by its sign would be fooled.  No OSXSAVE: the thread's state is what
     * FXSAVE saves. */
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    struct cpuid features = {0};
    if (cpuid(0, 0).eax >= 7)
        features = cpuid(7, 0);
    if (features.ebx & 1u << 7)
        cr4 |= CR4_SMEP;
    if (features.ebx & 1u << 20)
        cr4 |= CR4_SMAP;
    if (features.ecx & 1u << 2)
        cr4 |= CR4_UMIP;
    cr4_write(cr4);
    cpu_has_smap = (cr4 & CR4_SMAP) != 0;
    dr7_write(0);
}

static void syscall_setup(void)
{
    msr_write(MSR_STAR, (uint64_t)SYSRET_BASE << 48 | (uint64_t)KERNEL_CS << 32);
    msr_write(MSR_LSTAR, (uintptr_t)entry_syscall);
    msr_write(MSR_CSTAR,
              (uintptr_t)entry_syscall); /* never used: there is no 32-bit user code segment */
    msr_write(MSR_SFMASK, RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF |
                              RFLAGS_IF | RFLAGS_DF | RFLAGS_OF | RFLAGS_IOPL | RFLAGS_NT |
                              RFLAGS_RF | RFLAGS_AC | RFLAGS_ID);
    /* SYSENTER with a null code segment is #GP in user mode. */
    msr_write(MSR_SYSENTER_CS, 0);
    msr_write(MSR_SYSENTER_ESP, 0);
    msr_write(MSR_SYSENTER_EIP, 0);
}

bool cpu_setup(unsigned id, void *ist_stacks)
{
    struct cpu_local *cpu = &cpus[id];
    cpu->self = cpu;
    cpu->id = id;
    cpu->lazy = true;
    cpu->tss.io_map = sizeof(struct tss);
    for (unsigned i = 0; i < IST_COUNT; i++)
        cpu->tss.ist[i] = (uintptr_t)ist_stacks + (i + 1) * IST_STACK_BYTES;
    gdt_load(cpu);
    msr_write(MSR_GS_BASE, (uintptr_t)cpu);
    msr_write(MSR_KERNEL_GS_BASE, 0);
    msr_write(MSR_FS_BASE, 0);
    idt_load();
    if (!cpu_features_ok())
        return false;
    control_registers_set();
    syscall_setup();
    return true;
}

void arch_cpu_wait(void)
{
    tlb_halting();
    /* Interrupts are accepted only after the instruction that follows STI: none is lost between the
     * two. */
    __asm__ volatile("sti; hlt" : : : "memory");
}
