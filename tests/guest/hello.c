/* What a fresh program finds: arguments, environment, auxiliary vector, thread-local storage,
 * standard output. */
#include <elf.h>
#include <sys/auxv.h>

#include "check.h"

static _Thread_local int tls_set = 42;
static _Thread_local int tls_zero;
static int data_set = 7;
static int bss_zero[5000];

static void check_memory(void)
{
    CHECK_EQ(tls_set, 42);
    CHECK_EQ(tls_zero, 0);
    CHECK_EQ(data_set, 7);
    for (unsigned i = 0; i < 5000; i++)
        CHECK_EQ(bss_zero[i], 0);
    tls_zero = 1;
    CHECK_EQ(tls_zero + tls_set, 43);
}

static void check_auxv(char **argv)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    unsigned ones = 0;

    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
    CHECK(ph != NULL, "AT_PHDR");
    CHECK(getauxval(AT_PHNUM) > 0 && getauxval(AT_PHNUM) < 64, "AT_PHNUM %lu", getauxval(AT_PHNUM));
    CHECK(getauxval(AT_ENTRY) != 0, "AT_ENTRY");
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_EGID), getegid());
    CHECK_EQ(getauxval(AT_SECURE), 0);
    CHECK(random != NULL, "AT_RANDOM");
    for (unsigned i = 0; i < 16; i++)
        ones += random[i] != 0;
    CHECK(ones > 4, "AT_RANDOM: %u of 16 bytes are not zero", ones);
    CHECK(getauxval(AT_EXECFN) && strstr((char *)getauxval(AT_EXECFN), "hello"), "AT_EXECFN");
    CHECK(strstr(argv[0], "hello") != NULL, "argv[0] is %s", argv[0]);
}

int main(int argc, char **argv)
{
    int on_stack;

    CHECK_EQ(argc, 3);
    CHECK(strcmp(argv[1], "one two") == 0, "argv[1] is '%s'", argv[1]);
    CHECK(strcmp(argv[2], "a\"b\\c") == 0, "argv[2] is '%s'", argv[2]);
    CHECK(argv[3] == NULL, "argv ends with NULL");
    CHECK(getenv("PATH") != NULL && getenv("HOME") != NULL, "PATH and HOME are set");
    CHECK_EQ((uintptr_t)__builtin_frame_address(0) % 16, 0);
    CHECK((uintptr_t)&on_stack > (uintptr_t)&data_set, "the stack is above the program");
    check_memory();
    check_auxv(argv);
    CHECK(getpid() > 0 && getppid() > 0, "pid %d, parent %d", getpid(), getppid());
    CHECK_EQ(printf("hello from a guest program, pid %d\n", getpid()) > 20, 1);
    CHECK_EQ(fflush(stdout), 0);
    return check_done();
}
