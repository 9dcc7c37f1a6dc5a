/* Instructions a program should not use: every software interrupt, old ways into the kernel,
 * returns to anywhere, odd flags, privileged instructions.  Each ends the program by a signal or
 * does nothing. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"

static unsigned char *code_page;

static void code_run(void *arg)
{
    (void)arg;
    ((void (*)(void))(uintptr_t)code_page)();
}

/* Runs the bytes as a function in a child; a return is exit status 0. */
static int bytes_run(const unsigned char *bytes, size_t n)
{
    code_page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(code_page != MAP_FAILED, "mmap");
    memset(code_page, 0xcc, 4096);
    memcpy(code_page, bytes, n);
    CHECK_OK(mprotect(code_page, 4096, PROT_READ | PROT_EXEC));
    int status = child_any_end(child_start(code_run, NULL), 3000);

    CHECK_OK(munmap(code_page, 4096));
    return status;
}

static bool died(int status, int sig)
{
    return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static void case_every_interrupt(void)
{
    for (unsigned n = 0; n < 256; n++) {
        const unsigned char bytes[] = {0xcd, (unsigned char)n, 0x0f, 0x0b}; /* int n; ud2 */
        int status = bytes_run(bytes, sizeof(bytes));

        if (n == 3)
            CHECK(died(status, SIGTRAP), "int 3: status 0x%x", (unsigned)status);
        else if (n != 0x80) /* the 32-bit call of Linux; no such thing here */
            CHECK(died(status, SIGSEGV), "int %u: status 0x%x", n, (unsigned)status);
        else
            CHECK(status != -1, "int 0x80 does not end");
    }
}

struct snippet {
    const char *name;
    unsigned char bytes[12];
    int sig; /* 0: any signal */
};

static const struct snippet snippets[] = {
    {"hlt", {0xf4}, SIGSEGV},
    {"cli", {0xfa}, SIGSEGV},
    {"sti", {0xfb}, SIGSEGV},
    {"in al, 0xf4", {0xe4, 0xf4}, SIGSEGV},
    {"out 0xf4, al", {0xe6, 0xf4}, SIGSEGV},
    {"outsb", {0x6e}, SIGSEGV},
    {"rdmsr", {0x0f, 0x32}, SIGSEGV},
    {"wrmsr", {0x0f, 0x30}, SIGSEGV},
    {"mov rax, cr0", {0x0f, 0x20, 0xc0}, SIGSEGV},
    {"mov cr3, rax", {0x0f, 0x22, 0xd8}, SIGSEGV},
    {"mov cr8, rax", {0x44, 0x0f, 0x22, 0xc0}, SIGSEGV},
    {"mov rax, dr7", {0x0f, 0x21, 0xf8}, SIGSEGV},
    {"mov dr7, rax", {0x0f, 0x23, 0xf8}, SIGSEGV},
    {"swapgs", {0x0f, 0x01, 0xf8}, 0},
    {"invlpg [rax]", {0x0f, 0x01, 0x38}, SIGSEGV},
    {"wbinvd", {0x0f, 0x09}, SIGSEGV},
    {"clts", {0x0f, 0x06}, SIGSEGV},
    {"sysret", {0x48, 0x0f, 0x07}, 0},
    {"sysexit", {0x48, 0x0f, 0x35}, 0},
    {"sysenter", {0x0f, 0x34}, 0},
    {"stac", {0x0f, 0x01, 0xcb}, 0},
    {"vmcall", {0x0f, 0x01, 0xc1}, 0},
    {"icebp", {0xf1}, 0}, /* SIGTRAP; QEMU knows no such instruction */
    {"ud0", {0x0f, 0xff, 0xc0}, 0},
    {"rsm", {0x0f, 0xaa}, SIGILL},
    {"popf with TF", {0x9c, 0x81, 0x0c, 0x24, 0x00, 0x01, 0x00, 0x00, 0x9d, 0x90}, SIGTRAP},
    {"iret through nothing", {0x6a, 0x00, 0x6a, 0x00, 0x48, 0xcf}, 0},
    {"lock nop", {0xf0, 0x90}, SIGILL},
    {"aam in 64 bits", {0xd4, 0x00}, SIGILL},
    {"lretq to 0", {0x6a, 0x00, 0x6a, 0x00, 0x48, 0xcb}, SIGSEGV},
};

static void case_instructions(void)
{
    for (unsigned i = 0; i < sizeof(snippets) / sizeof(snippets[0]); i++) {
        const struct snippet *s = &snippets[i];
        int status = bytes_run(s->bytes, sizeof(s->bytes));

        CHECK(status != -1 && WIFSIGNALED(status) && (s->sig == 0 || WTERMSIG(status) == s->sig),
              "%s: status 0x%x, signal must be %d", s->name, (unsigned)status, s->sig);
    }
}

/* The system call instruction at the very end of what can be mapped: the return address lies
 * beyond. */
static void case_call_at_the_end_of_memory(void)
{
    for (uintptr_t top = 0x7fffffffa000; top <= 0x7ffffffff000; top += 0x1000) {
        unsigned char *p =
            mmap((void *)top, 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0);

        if (p != (void *)top) {
            if (p != MAP_FAILED)
                munmap(p, 4096);
            continue;
        }
        p[4094] = 0x0f;
        p[4095] = 0x05;
        CHECK_OK(mprotect(p, 4096, PROT_READ | PROT_EXEC));
        code_page = p + 4094;
        CHECK(child_any_end(child_start(code_run, NULL), 3000) != -1, "a call at %#lx", top);
        munmap(p, 4096);
    }
}

/* Returns by iretq and lretq with every kind of selector, flags and address. */
struct frame {
    unsigned long ip, cs, flags, sp, ss;
};

static void iret_to(void *arg)
{
    const struct frame *f = arg;
    unsigned long cs, ss;

    __asm__ volatile("mov %%cs, %0\n\t mov %%ss, %1" : "=r"(cs), "=r"(ss));
    __asm__ volatile("push %0\n\t push %1\n\t push %2\n\t push %3\n\t push %4\n\t iretq"
                     :
                     : "r"(f->ss == 1 ? ss : f->ss), "r"(f->sp), "r"(f->flags),
                       "r"(f->cs == 1 ? cs : f->cs), "r"(f->ip)
                     : "memory");
}

static void landing(void)
{
    __asm__ volatile("ud2");
}

static int iret_run(struct frame f)
{
    return child_any_end(child_start(iret_to, &f), 3000);
}

static void case_iret(void)
{
    static char stack[4096];
    const struct frame good = {(uintptr_t)landing, 1, 0x202, (uintptr_t)stack + 4000, 1};
    const unsigned long addresses[] = {0,
                                       0x7ffffffff000,
                                       0x800000000000,
                                       0x8000000000000000,
                                       0xffff800000000000,
                                       0xffffffff80200000,
                                       UINTPTR_MAX};
    struct frame f;

    /* QEMU reads the frame as the kernel would, and SMAP forbids that: SIGSEGV there. */
    CHECK(died(iret_run(good), SIGILL) || died(iret_run(good), SIGSEGV), "a proper iretq");
    for (unsigned i = 0; i < 7; i++) {
        f = good;
        f.ip = addresses[i];
        CHECK(died(iret_run(f), SIGSEGV), "iretq to %#lx", addresses[i]);
        f = good;
        f.sp = addresses[i];
        CHECK(iret_run(f) != -1, "iretq with stack %#lx", addresses[i]);
    }
    for (unsigned long selector = 0; selector < 0x80; selector += 1 + (selector > 0x40) * 4) {
        f = good;
        f.cs = selector == 1 ? 0 : selector;
        CHECK(WIFSIGNALED(iret_run(f)), "iretq with cs %#lx", selector);
        f = good;
        f.ss = selector == 1 ? 0 : selector;
        CHECK(WIFSIGNALED(iret_run(f)), "iretq with ss %#lx", selector);
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        f = good;
        f.flags ^= 1ul << bit;
        CHECK(WIFSIGNALED(iret_run(f)), "iretq with flag bit %u", bit);
    }
}

/* System calls with every flag set that a program can set; the kernel must not inherit any. */
static void calls_with_flags(void *arg)
{
    unsigned long flags = (unsigned long)arg, result;
    struct gate g = gate_make();
    char buffer[64] = "some bytes to copy";

    for (unsigned i = 0; i < 20; i++) {
        __asm__ volatile("push %3\n\t popf\n\t"
                         "syscall\n\t"
                         "pushq $0x202\n\t popf"
                         : "=a"(result)
                         : "0"(1l), "D"((long)g.fd[1]), "r"(flags), "S"(buffer + 1), "d"(33l)
                         : "rcx", "r11", "memory", "cc");
        CHECK_EQ(result, 33);
        CHECK_EQ(read(g.fd[0], buffer + 3, 33), 33);
    }
}

static void case_odd_flags(void)
{
    const unsigned bits[] = {10 /* DF */, 12, 13 /* IOPL */, 14 /* NT */, 18 /* AC */, 21 /* ID */,
                             0,           11};

    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        MUST_EXIT(calls_with_flags, (void *)(0x202 | 1ul << bits[i]), 0);
}

/* With TF set over a system call, the trap comes after it, in the program. */
static void trap_over_call(void *arg)
{
    (void)arg;
    __asm__ volatile("pushq $0x302\n\t popf\n\t syscall" : : "a"(39l) : "rcx", "r11", "memory");
}

static void case_single_step(void)
{
    MUST_DIE(trap_over_call, NULL, SIGTRAP);
}

/* Segment registers with any selector: the kernel reloads its own. */
static void load_segments(void *arg)
{
    unsigned selector = (unsigned)(long)arg;

    __asm__ volatile("mov %0, %%ds\n\t mov %0, %%es" : : "r"(selector) : "memory");
    CHECK(getpid() > 0, "getpid");
    __asm__ volatile("mov %0, %%gs\n\t mov $39, %%eax\n\t syscall"
                     :
                     : "r"(selector)
                     : "rax", "rcx", "r11", "memory");
    check_sleep_ms(1);
}

static void case_segments(void)
{
    for (long selector = 0; selector < 0x60; selector++) {
        int status = child_any_end(child_start(load_segments, (void *)selector), 3000);

        CHECK(status == 0 || died(status, SIGSEGV), "selector %#lx: status 0x%x", selector,
              (unsigned)status);
    }
}

int main(void)
{
    RUN(case_every_interrupt);
    RUN(case_instructions);
    RUN(case_call_at_the_end_of_memory);
    RUN(case_iret);
    RUN(case_odd_flags);
    RUN(case_single_step);
    RUN(case_segments);
    return check_done();
}
