/* Floating-point and vector registers belong to the process: across preemption, fork, signals and
 * system calls. */
#include "child.h"

struct vectors {
    uint64_t q[16][2];
} __attribute__((aligned(16)));

static void vectors_fill(struct vectors *v, uint64_t seed)
{
    struct rng rng = {seed + 1};

    for (unsigned i = 0; i < 16; i++) {
        v->q[i][0] = rng_next(&rng);
        v->q[i][1] = rng_next(&rng);
    }
}

#define XMM_ALL                                                                                    \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define XMM_LOAD                                                                                   \
    "movaps 0(%[in]), %%xmm0\n\t movaps 16(%[in]), %%xmm1\n\t movaps 32(%[in]), %%xmm2\n\t"        \
    "movaps 48(%[in]), %%xmm3\n\t movaps 64(%[in]), %%xmm4\n\t movaps 80(%[in]), %%xmm5\n\t"       \
    "movaps 96(%[in]), %%xmm6\n\t movaps 112(%[in]), %%xmm7\n\t movaps 128(%[in]), %%xmm8\n\t"     \
    "movaps 144(%[in]), %%xmm9\n\t movaps 160(%[in]), %%xmm10\n\t movaps 176(%[in]), %%xmm11\n\t"  \
    "movaps 192(%[in]), %%xmm12\n\t movaps 208(%[in]), %%xmm13\n\t movaps 224(%[in]), %%xmm14\n\t" \
    "movaps 240(%[in]), %%xmm15\n\t"
#define XMM_STORE                                                                                  \
    "movaps %%xmm0, 0(%[out])\n\t movaps %%xmm1, 16(%[out])\n\t movaps %%xmm2, 32(%[out])\n\t"     \
    "movaps %%xmm3, 48(%[out])\n\t movaps %%xmm4, 64(%[out])\n\t movaps %%xmm5, 80(%[out])\n\t"    \
    "movaps %%xmm6, 96(%[out])\n\t movaps %%xmm7, 112(%[out])\n\t movaps %%xmm8, 128(%[out])\n\t"  \
    "movaps %%xmm9, 144(%[out])\n\t movaps %%xmm10, 160(%[out])\n\t"                               \
    "movaps %%xmm11, 176(%[out])\n\t movaps %%xmm12, 192(%[out])\n\t"                              \
    "movaps %%xmm13, 208(%[out])\n\t movaps %%xmm14, 224(%[out])\n\t"                              \
    "movaps %%xmm15, 240(%[out])\n\t"

/* Loads all registers, spins, stores them. */
static void hold_registers(const struct vectors *in, struct vectors *out, long turns)
{
    __asm__ volatile(XMM_LOAD "1: dec %[n]\n\t jnz 1b\n\t" XMM_STORE
                     : [n] "+r"(turns)
                     : [in] "r"(in), [out] "r"(out)
                     : "memory", "cc", XMM_ALL);
}

/* The same around one system call. */
static long hold_over_call(const struct vectors *in, struct vectors *out, long nr, long a, long b)
{
    long result;

    __asm__ volatile(XMM_LOAD "syscall\n\t" XMM_STORE
                     : "=a"(result)
                     : [in] "r"(in), [out] "r"(out), "0"(nr), "D"(a), "S"(b)
                     : "rcx", "r11", "memory", "cc", XMM_ALL);
    return result;
}

static void spinner(void *arg)
{
    struct vectors in, out;

    for (uint64_t i = 0; i < 30; i++) {
        vectors_fill(&in, (uint64_t)(long)arg * 1000 + i);
        hold_registers(&in, &out, 100000);
        CHECK(memcmp(&in, &out, sizeof(in)) == 0, "vector registers changed in turn %d", (int)i);
    }
}

static void case_preemption(void)
{
    pid_t pids[6];

    for (long i = 0; i < 6; i++)
        pids[i] = child_start(spinner, (void *)i);
    for (unsigned i = 0; i < 6; i++)
        CHILD_EXITS(pids[i], 0);
}

static void case_fork(void)
{
    for (uint64_t i = 0; i < 20; i++) {
        struct vectors in, out;
        long pid;

        vectors_fill(&in, i);
        pid = hold_over_call(&in, &out, 57 /* fork */, 0, 0);
        CHECK(pid >= 0, "fork: %ld", pid);
        CHECK(memcmp(&in, &out, sizeof(in)) == 0, "vector registers in the %s",
              pid ? "parent" : "child");
        if (pid == 0)
            _exit(0);
        CHILD_EXITS((pid_t)pid, 0);
    }
}

static void on_signal(int sig)
{
    struct vectors in, out;
    uint32_t mxcsr = 0x1f80 | 0x6000;

    (void)sig;
    __asm__ volatile("ldmxcsr %0\n\t fninit" : : "m"(mxcsr));
    vectors_fill(&in, 999);
    hold_registers(&in, &out, 1);
}

static void case_signal_handler(void)
{
    struct vectors in, out;
    uint32_t mxcsr = 0x1f80 | 0x2000, mxcsr_after = 0;

    signal(SIGUSR1, on_signal);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    vectors_fill(&in, 4);
    CHECK_EQ(hold_over_call(&in, &out, 62 /* kill */, getpid(), SIGUSR1), 0);
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr_after));
    CHECK(memcmp(&in, &out, sizeof(in)) == 0, "vector registers changed over a handler");
    CHECK_EQ(mxcsr_after & ~0x3fu, mxcsr);
}

/* x87 and rounding modes differ between processes, and a division in each shows whose is loaded. */
static void rounder(void *arg)
{
    uint32_t mxcsr = 0x1f80 | (uint32_t)((long)arg << 13), now;
    volatile double one = 1, three = 3;
    uint16_t cw = (uint16_t)(0x37f | (long)arg << 10), cw_now;
    double first;

    __asm__ volatile("ldmxcsr %0\n\t fldcw %1" : : "m"(mxcsr), "m"(cw));
    first = one / three;
    for (unsigned i = 0; i < 200000; i++)
        CHECK(one / three == first, "rounding changed");
    __asm__ volatile("stmxcsr %0\n\t fnstcw %1" : "=m"(now), "=m"(cw_now));
    CHECK_EQ(now & ~0x3fu, mxcsr);
    CHECK_EQ(cw_now, cw);
}

static void case_rounding_modes(void)
{
    pid_t pids[4];

    for (long i = 0; i < 4; i++)
        pids[i] = child_start(rounder, (void *)i);
    for (unsigned i = 0; i < 4; i++)
        CHILD_EXITS(pids[i], 0);
}

/* On the x87 unit: QEMU's emulator does not raise the exceptions of the SSE unit. */
static void divide_by_zero(void *arg)
{
    uint16_t control = 0x37f & ~4; /* unmask division by zero */

    (void)arg;
    __asm__ volatile("fldcw %0\n\t fld1\n\t fldz\n\t fdivrp\n\t fwait" : : "m"(control));
}

static void case_unmasked_exception(void)
{
    MUST_DIE(divide_by_zero, NULL, SIGFPE);
}

int main(void)
{
    uint32_t mxcsr;

    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    CHECK_EQ(mxcsr, 0x1f80); /* as the ABI starts a program */
    RUN(case_preemption);
    RUN(case_fork);
    RUN(case_signal_handler);
    RUN(case_rounding_modes);
    RUN(case_unmasked_exception);
    return check_done();
}
