/* Every number of the system-call table with pointers that lead nowhere: the caller may get an
 * error or a signal, and the kernel goes on.  What must be -EFAULT is demanded by name below. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <abi/shoal.h>
#include <shoal/syscall.h>

#include "child.h"

static const uintptr_t bad[] = {
    0,                  /* NULL */
    1,                  /* unaligned, page 0 */
    0x10001,            /* unaligned, low */
    0x7ffffffff000,     /* the last user page, never mapped */
    0x7fffffffffff,     /* its last byte */
    0x800000000000,     /* not canonical */
    0x8000000000000000, /* not canonical */
    0xffff7fffffffffff, /* not canonical, the last */
    0xffff800000000000, /* the kernel's half: direct map */
    0xffffffff80000000, /* the kernel's half: text */
    0xfffffffffffff000, /* the last page */
    UINTPTR_MAX,
};
#define NBAD (sizeof(bad) / sizeof(bad[0]))

static long call6(long nr, const uintptr_t a[6])
{
    long result;
    register uintptr_t r10 __asm__("r10") = a[3];
    register uintptr_t r8 __asm__("r8") = a[4];
    register uintptr_t r9 __asm__("r9") = a[5];

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Calls that end the caller or others, stop the machine, sleep for ever or start processes, and
 * calls that with small arguments do what they are for and leave it behind: not with random
 * arguments. */
static bool is_left_out(long nr)
{
    static const long list[] = {SYS_exit,
                                SYS_exit_group,
                                SYS_pause,
                                SYS_kill,
                                SYS_tkill,
                                SYS_tgkill,
                                SYS_reboot,
                                SYS_rt_sigqueueinfo,
                                SYS_rt_tgsigqueueinfo,
                                SYS_fork,
                                SYS_vfork,
                                SYS_clone,
                                SYS_clone3,
                                SYS_rt_sigsuspend,
                                SYS_shmget,
                                SYS_semget,
                                SYS_msgget,
                                SYS_sethostname,
                                SYS_setdomainname,
                                SYS_pidfd_send_signal};

    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (nr == list[i])
            return true;
    return false;
}

/* One number with all bad values, in all arguments at once and in each alone.  No descriptor is
 * open. */
static void try_number(void *arg)
{
    long nr = (long)arg;

    for (int fd = 0; fd < 16; fd++)
        close(fd);
    for (unsigned i = 0; i < NBAD; i++) {
        uintptr_t all[6] = {bad[i], bad[i], bad[i], bad[i], bad[i], bad[i]};

        call6(nr, all);
        for (unsigned j = 0; j < 6; j++) {
            uintptr_t one[6] = {0, 0, 0, 0, 0, 0};

            one[j] = bad[i];
            call6(nr, one);
        }
    }
}

/* It may end in any way: by itself, by a signal of its own making, or asleep in a call that sleeps
 * by right. */
static void try_range(long beg, long end)
{
    for (long nr = beg; nr < end; nr++)
        if (!is_left_out(nr))
            child_any_end(child_start(try_number, (void *)nr), 150);
}

static void case_linux_numbers_low(void)
{
    try_range(0, 170);
}

static void case_linux_numbers_high(void)
{
    try_range(170, 460);
}

static void case_shoal_numbers(void)
{
    try_range(SHOAL_SYS_BASE, SHOAL_SYS_BASE + 32);
}

static void fault(const char *call, long result, uintptr_t pointer)
{
    CHECK(result == -EFAULT, "A2: %s with pointer %#lx answers %ld, must be -EFAULT", call, pointer,
          result);
}

#define FAULT(nr, a, b, c, d) fault(#nr, shoal_syscall(nr, (long)(a), (long)(b), (long)(c), d), p)

static void case_must_be_efault(void)
{
    struct gate g = gate_make();
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY);

    gate_open(&g, 1);
    for (unsigned i = 0; i < NBAD; i++) {
        uintptr_t p = bad[i];

        FAULT(SYS_read, g.fd[0], p, 1, 0);
        FAULT(SYS_write, g.fd[1], p, 1, 0);
        FAULT(SYS_writev, g.fd[1], p, 1, 0);
        FAULT(SYS_open, p, O_RDONLY, 0, 0);
        FAULT(SYS_stat, "/tmp", p, 0, 0);
        FAULT(SYS_stat, p, &g, 0, 0);
        FAULT(SYS_fstat, dir, p, 0, 0);
        FAULT(SYS_getdents64, dir, p, 4096, 0);
        FAULT(SYS_pipe, p, 0, 0, 0);
        FAULT(SYS_mkdir, p, 0755, 0, 0);
        FAULT(SYS_unlink, p, 0, 0, 0);
        FAULT(SYS_chdir, p, 0, 0, 0);
        FAULT(SYS_getcwd, p, 4096, 0, 0);
        FAULT(SYS_nanosleep, p, 0, 0, 0);
        FAULT(SYS_clock_gettime, CLOCK_MONOTONIC, p, 0, 0);
        FAULT(SYS_uname, p, 0, 0, 0);
        FAULT(SHOAL_SYS_createSharedRegion, p, 4096, 0, 0);
        FAULT(SHOAL_SYS_lockRegion, p, 0, 0, 0);
        if (p == 0)
            continue; /* means "none" in these */
        FAULT(SYS_rt_sigaction, SIGUSR1, p, 0, 8);
        FAULT(SYS_rt_sigaction, SIGUSR1, 0, p, 8);
        FAULT(SYS_rt_sigprocmask, SIG_BLOCK, p, 0, 8);
        FAULT(SYS_rt_sigprocmask, SIG_BLOCK, 0, p, 8);
        FAULT(SYS_sigaltstack, p, 0, 0, 0);
    }
}

/* A length that no program's memory has is refused before anything moves. */
static void case_lengths(void)
{
    struct gate g = gate_make();
    static char here[16];

    gate_open(&g, 1);
    CHECK_OK(fcntl(g.fd[1], F_SETFL, O_NONBLOCK));
    CHECK_EQ(shoal_syscall(SYS_read, g.fd[0], (long)here, -1, 0), -EFAULT);
    CHECK_EQ(shoal_syscall(SYS_write, g.fd[1], (long)here, -1, 0), -EFAULT);
    CHECK_EQ(shoal_syscall(SYS_write, g.fd[1], (long)here, 1l << 47, 0), -EFAULT);
}

int main(void)
{
    struct utsname uts;

    /* Calls made at random, by root: only where nothing else lives. */
    CHECK_OK(uname(&uts));
    CHECK(strcmp(uts.sysname, "Linux") != 0 || access("/proc/regions", F_OK) == 0,
          "this test runs on Shoal only");
    RUN(case_must_be_efault);
    RUN(case_lengths);
    RUN(case_linux_numbers_low);
    RUN(case_linux_numbers_high);
    RUN(case_shoal_numbers);
    return check_done();
}
