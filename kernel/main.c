/* Boot levels, one table; and the way down. */
#include "provoke.h"
#include "provoke_memory.h"

#include <abi/exit.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/upcall.h>
#include <kernel/base/audit.h>
#include <kernel/base/cmdline.h>
#include <kernel/base/panic.h>
#include <kernel/base/printk.h>
#include <kernel/base/stackdepth.h>
#include <kernel/fs/console.h>
#include <kernel/fs/ramfs.h>
#include <kernel/fs/shm.h>
#include <kernel/fs/vnode.h>
#include <kernel/phys/failpoint.h>
#include <kernel/phys/kmem.h>
#include <kernel/phys/pmem.h>
#include <kernel/proc/process.h>
#include <kernel/sched/thread.h>
#include <kernel/syscall/sys.h>

static struct bootinfo boot;
static struct audit boot_audit;

_Noreturn static void stop_boot(const char *why, err_t err)
{
    printk("shoal: boot stopped: %s: %s\n", why, err_name(err));
    arch_console_drain();
    arch_power_off(EXIT_CODE_BOOT);
}

/* What must be the same before the first process and after the last.  A quiet point: no other
 * thread allocates. */
static void take_audit(struct audit *audit)
{
    audit->n = 0;
    kmem_shrink();
    pmem_drain();
    pmem_audit(audit);
    kmem_audit(audit);
    thread_audit(audit);
    process_audit(audit);
    shm_audit(audit);
}

static void mount_root(void)
{
    if (!boot.initramfs)
        stop_boot("no initramfs", -ENOENT);
    shm_proc_init();
    process_procfs_init();
    provoke_locks_init();
    err_t err = rootfs_mount(boot.initramfs, boot.initramfs_bytes);
    if (err)
        stop_boot("root file system", err);
}

static void start_init(void)
{
    const char *path = cmdline_get("init");
    const char *const *args;
    unsigned n = cmdline_init_args(&args);
    static const char *argv[CMDLINE_ARGS_MAX + 2];
    if (!path)
        path = "/sbin/init";
    argv[0] = path;
    for (unsigned i = 0; i < n; i++)
        argv[i + 1] = args[i];
    err_t err = process_start_init(path, argv);
    if (err)
        stop_boot(path, err);
}

/* Nobody is left: everything the run took must be back. */
_Noreturn static void shut_down(int status)
{
    process_kill_all();
    shm_check();
    shm_shutdown();
    rootfs_unmount();
    while (thread_count() > 1) /* the last threads are on their way out of their CPUs */
        thread_yield();
    if (cmdline_has("trace", "stacks"))
        stack_depth_print();
    struct audit now;
    take_audit(&now);
    unsigned differences = audit_compare(&boot_audit, &now);
    int code = status & 0x7f ? 128 + (status & 0x7f) : status >> 8;
    if (differences) {
        printk("shoal: leak audit: %u differences\n", differences);
        pmem_print_sites();
        kmem_print_sites();
    } else {
        printk("shoal: init exited with status %d\n", code);
    }
    arch_console_drain();
    arch_power_off(differences ? EXIT_CODE_LEAK : code ? EXIT_CODE_STATUS : EXIT_CODE_OK);
}

/* provoke=panic|fault|lock|leak: the tests see that what watches over the kernel does. */
static void provoke(void) NO_THREAD_SAFETY_ANALYSIS /* keeps what it takes */
{
    struct spinlock lock, same_rank;
    spin_init(&lock, "provoked lock", RANK_CTABLE);
    spin_init(&same_rank, "provoked lock of the same rank", RANK_CTABLE);
    if (cmdline_has("provoke", "leak"))
        (void)page_alloc(PAGE_KERNEL, 0, 0);
    if (cmdline_has("provoke", "fault"))
        *(volatile int *)8 = 1;
    if (cmdline_has("provoke", "lock") || cmdline_has("provoke", "panic"))
        spin_lock(&lock);
    if (cmdline_has("provoke", "lock"))
        spin_lock(&same_rank);
    if (cmdline_has("provoke", "panic"))
        panic("provoked");
}

/* The kernel's first thread: everything that may sleep. */
static void kernel_thread(void *arg)
{
    arch_start_cpus((unsigned)cmdline_u64("cpus", CPUS_MAX));
    printk("shoal: %u CPU%s, %zu MiB free\n", arch_cpu_count(), arch_cpu_count() > 1 ? "s" : "",
           pmem_free_pages() >> (20 - PAGE_SHIFT));
    console_set_interrupt_handler(process_interrupt_all);
    arch_console_listen();
    take_audit(&boot_audit);
    provoke();
    provoke_memory();
    mount_root();
    start_init();
    shut_down(process_wait_init());
}

void kernel_main(const struct bootinfo *info)
{
    boot = *info;
    cmdline_init(boot.cmdline);
    const char *fail = cmdline_get("fail");
    err_t err = fail ? failpoint_set_machine(fail) : 0;
    if (err)
        stop_boot("fail", err);
    pmem_init(&boot);
    sched_init_cpu();
    tree_init();
    sys_table_init();
    struct thread *first = kthread_create("kernel", kernel_thread, NULL);
    if (!first)
        stop_boot("first thread", -ENOMEM);
    thread_start(first);
    sched_idle();
}

void kernel_cpu_main(void)
{
    sched_init_cpu();
    sched_idle();
}
