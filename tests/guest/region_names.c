/* R1, A2: what is a name and what is not, and names in every kind of memory. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE 4096ul

/* Every call must refuse the name in the same way. */
static void refused_everywhere(const char *name, err_t err, const char *what)
{
    void *beg = (void *)0x1234;
    static const char *const calls[] = {"create", "destroy", "map",    "unmap",
                                        "lock",   "unlock",  "trylock"};
    err_t got[7];

    got[0] = createSharedRegion(name, PAGE, RS_DEFAULT);
    got[1] = destroySharedRegion(name);
    got[2] = createMapping(name, &beg);
    got[3] = destroyMapping(name, &beg);
    got[4] = lockRegion(name);
    got[5] = unlockRegion(name);
    got[6] = tryLockRegion(name);
    for (unsigned i = 0; i < 7; i++)
        CHECK(got[i] == err, "R1: %s, %s: %s, must be %s", what, calls[i], shoal_errname(got[i]),
              shoal_errname(err));
    CHECK(beg == (void *)0x1234, "A3: a refused createMapping stored an address");
}

static void accepted(const char *name)
{
    void *beg = NULL;

    CHECK_ERR(createSharedRegion(name, PAGE, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createSharedRegion(name, PAGE, RS_DEFAULT), ERR_EXIST);
    CHECK_ERR(createMapping(name, &beg), ERR_OK);
    CHECK_ERR(lockRegion(name), ERR_OK);
    CHECK_ERR(unlockRegion(name), ERR_OK);
    CHECK_ERR(destroyMapping(name, beg), ERR_OK);
    CHECK_ERR(destroySharedRegion(name), ERR_OK);
}

static void case_lengths(void)
{
    static char name[4200];

    refused_everywhere("", ERR_INVAL, "0 bytes");
    accepted("a");
    memset(name, 'n', 127);
    accepted(name);
    name[127] = 'n';
    refused_everywhere(name, ERR_INVAL, "128 bytes");
    memset(name, 'n', 4096);
    refused_everywhere(name, ERR_INVAL, "4096 bytes");
}

static void case_bytes(void)
{
    char name[3] = "x?";

    for (int c = 1; c < 256; c++) {
        name[1] = (char)c;
        if (c == '/')
            refused_everywhere(name, ERR_INVAL, "a slash");
        else if (c < 8 || c > 120 || c % 10 == 0)
            accepted(name);
    }
    refused_everywhere("/", ERR_INVAL, "only a slash");
    refused_everywhere(".", ERR_INVAL, "one dot");
    refused_everywhere("..", ERR_INVAL, "two dots");
    accepted("...");
    accepted(".a");
    accepted("a.");
    accepted(" ");
    accepted("two words");
    accepted("new\nline");
}

static void case_exact(void)
{
    static const char *const others[] = {"a", "ab", "abcd", "abC", "Abc", "bc", " abc", "abc "};
    static char longest[128], shorter[127];
    void *beg = NULL;

    region_new("abc", PAGE);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        CHECK(createMapping(others[i], &beg) == ERR_NOTEXIST, "R1: '%s' opens 'abc'", others[i]);
        CHECK_ERR(destroySharedRegion(others[i]), ERR_NOTEXIST);
        CHECK_ERR(lockRegion(others[i]), ERR_NOTEXIST);
    }
    memset(longest, 'q', 127);
    memset(shorter, 'q', 126);
    region_new(longest, PAGE);
    CHECK_ERR(createMapping(shorter, &beg), ERR_NOTEXIST);
    longest[126] = 'r';
    CHECK_ERR(createMapping(longest, &beg), ERR_NOTEXIST);
}

/* Names right before memory that is not there. */
static void case_at_the_end_of_a_mapping(void)
{
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *end = p + PAGE;

    CHECK(p != MAP_FAILED, "mmap");
    CHECK_OK(munmap(end, PAGE));
    memset(p, 'e', PAGE);
    refused_everywhere(end - 1, ERR_FAULT, "1 byte and no NUL before the end");
    refused_everywhere(end - 10, ERR_FAULT, "10 bytes and no NUL before the end");
    refused_everywhere(end - 127, ERR_FAULT, "127 bytes and no NUL before the end");
    refused_everywhere(end - 128, ERR_INVAL, "128 bytes and no NUL before the end");
    end[-1] = '\0';
    refused_everywhere(end - 1, ERR_INVAL, "a NUL as the last byte");
    accepted(end - 5);
    accepted(end - 128);
    CHECK_OK(munmap(p, PAGE));
    refused_everywhere(p, ERR_FAULT, "unmapped");
}

static void case_bad_pointers(void)
{
    static const uintptr_t bad[] = {0,
                                    1,
                                    0x7ffffffff000,
                                    0x7fffffffffff,
                                    0x800000000000,
                                    0x8000000000000000,
                                    0xffff800000000000,
                                    0xffffffff80000000,
                                    UINTPTR_MAX};
    char *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused_everywhere((const char *)bad[i], ERR_FAULT, "a bad pointer");
    refused_everywhere(none, ERR_FAULT, "memory without access");
}

static void case_kinds_of_memory(void)
{
    char *untouched = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *across = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared;
    char on_stack[16] = "stack";

    refused_everywhere(untouched, ERR_INVAL, "a page never touched is an empty name");
    strcpy(across + PAGE - 4, "across-two-pages");
    accepted(across + PAGE - 4);
    CHECK_OK(mprotect(across, 2 * PAGE, PROT_READ));
    accepted(across + PAGE - 4);
    accepted(on_stack);
    accepted("constant");
    shared = region_new("holder", PAGE);
    strcpy(shared + 100, "in-a-region");
    accepted(shared + 100);
    strcpy(shared + 100, "holder");
    CHECK_ERR(destroyMapping(shared + 100, shared),
              ERR_OK); /* its own name, in the region that goes */
    CHECK_ERR(destroySharedRegion("holder"), ERR_OK);
}

static void inherited_name(void *arg)
{
    accepted(arg); /* a page shared copy on write with the parent */
}

static void case_copy_on_write_page(void)
{
    char *name = strdup("written-before-fork");

    MUST_EXIT(inherited_name, name, 0);
}

int main(void)
{
    RUN(case_lengths);
    RUN(case_bytes);
    RUN(case_exact);
    RUN(case_at_the_end_of_a_mapping);
    RUN(case_bad_pointers);
    RUN(case_kinds_of_memory);
    RUN(case_copy_on_write_page);
    return check_done();
}
