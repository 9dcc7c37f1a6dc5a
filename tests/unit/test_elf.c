#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <lib/elf.h>

#define PAGE  4096ull
#define LIMIT 0x7ffffffff000ull

/* A small static program: header, four program headers, code and data. */
struct file {
    struct elf64_header hdr;
    struct elf64_phdr phdrs[4];
    char rest[0x3000 - sizeof(struct elf64_header) - 4 * sizeof(struct elf64_phdr)];
};

static struct file file;

static int setup(void **state)
{
    memset(&file, 0, sizeof(file));
    file.hdr = (struct elf64_header){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = ELF_ET_EXEC,
        .machine = ELF_EM_X86_64,
        .version = 1,
        .entry = 0x401100,
        .phoff = offsetof(struct file, phdrs),
        .ehsize = sizeof(struct elf64_header),
        .phentsize = sizeof(struct elf64_phdr),
        .phnum = 4,
    };
    file.phdrs[0] = (struct elf64_phdr){
        .type = ELF_PT_LOAD, .flags = ELF_PF_R, .vaddr = 0x400000, .filesz = 0x500, .memsz = 0x500};
    file.phdrs[1] = (struct elf64_phdr){.type = ELF_PT_LOAD,
                                        .flags = ELF_PF_R | ELF_PF_X,
                                        .offset = 0x1000,
                                        .vaddr = 0x401000,
                                        .filesz = 0x900,
                                        .memsz = 0x900};
    file.phdrs[2] = (struct elf64_phdr){.type = ELF_PT_LOAD,
                                        .flags = ELF_PF_R | ELF_PF_W,
                                        .offset = 0x2f80,
                                        .vaddr = 0x403f80,
                                        .filesz = 0x80,
                                        .memsz = 0x2000};
    file.phdrs[3] = (struct elf64_phdr){.type = ELF_PT_GNU_STACK, .flags = ELF_PF_R | ELF_PF_W};
    return 0;
}

/* As the kernel does it: the header, then the program headers where it says. */
static int check(struct elf_image *image)
{
    int err = elf_check_header(&file.hdr, sizeof(file));
    if (err)
        return err;
    size_t bytes = file.hdr.phnum * sizeof(struct elf64_phdr);
    struct elf64_phdr *phdrs = malloc(bytes);
    memcpy(phdrs, (const char *)&file + file.hdr.phoff, bytes);
    err = elf_check_segments(&file.hdr, phdrs, sizeof(file), LIMIT, PAGE, image);
    free(phdrs);
    return err;
}

static void test_good(void **state)
{
    static struct elf_image image;
    assert_int_equal(check(&image), 0);
    assert_int_equal(image.entry, 0x401100);
    assert_int_equal(image.phdr_vaddr, 0x400040);
    assert_int_equal(image.phnum, 4);
    assert_false(image.position_free);
    assert_int_equal(image.vaddr_beg, 0x400000);
    assert_int_equal(image.vaddr_end, 0x406000);
    assert_int_equal(image.nloads, 3);
    assert_memory_equal(image.loads, file.phdrs, sizeof(file.phdrs[0]) * 3);

    file.hdr.type = ELF_ET_DYN;
    assert_int_equal(check(&image), 0);
    assert_true(image.position_free);
    file.phdrs[0].filesz = file.phdrs[0].memsz = 0x80; /* no longer holds the program headers */
    assert_int_equal(check(&image), 0);
    assert_int_equal(image.phdr_vaddr, 0);
}

/* What elf.h promises of an accepted image, said a second time. */
static void assert_promises(const struct elf_image *image)
{
    bool entry_found = false;
    uint64_t end = 0;
    assert_in_range(image->nloads, 1, ELF_PHDRS_MAX);
    for (unsigned i = 0; i < image->nloads; i++) {
        const struct elf64_phdr *l = &image->loads[i];
        assert_int_equal(l->type, ELF_PT_LOAD);
        assert_true(l->memsz > 0 && l->filesz <= l->memsz);
        assert_true(l->offset + l->filesz >= l->offset && l->offset + l->filesz <= sizeof(file));
        assert_true(l->vaddr + l->memsz >= l->vaddr && l->vaddr + l->memsz <= LIMIT);
        assert_int_equal(l->offset % PAGE, l->vaddr % PAGE);
        assert_true(l->vaddr / PAGE * PAGE >= end);
        end = (l->vaddr + l->memsz + PAGE - 1) / PAGE * PAGE;
        entry_found |=
            (l->flags & ELF_PF_X) && image->entry >= l->vaddr && image->entry < l->vaddr + l->memsz;
    }
    assert_true(entry_found);
    assert_int_equal(image->vaddr_beg, image->loads[0].vaddr / PAGE * PAGE);
    assert_int_equal(image->vaddr_end, end);
}

/* Every byte of all headers with every value: refused, or the promises hold. */
static void test_every_byte(void **state)
{
    static struct elf_image image;
    for (size_t i = 0; i < offsetof(struct file, rest); i++) {
        unsigned char *byte = (unsigned char *)&file + i, saved = *byte;
        for (unsigned value = 0; value < 256; value++) {
            *byte = (unsigned char)value;
            int err = check(&image);
            assert_true(err == 0 || err == -ENOEXEC);
            if (err == 0)
                assert_promises(&image);
        }
        *byte = saved;
    }
}

/* Each field with values at the edges. */
static void test_extreme_fields(void **state)
{
    static struct elf_image image;
    static const uint64_t values[] = {0,           1,         PAGE - 1,   PAGE,  LIMIT - PAGE,
                                      LIMIT,       LIMIT + 1, 1ull << 63, ~0ull, ~0ull - PAGE,
                                      0ull - PAGE, 0x400000};
    for (size_t p = 0; p < 3; p++)
        for (size_t field = 1; field < sizeof(struct elf64_phdr) / 8; field++)
            for (size_t v = 0; v < ARRAY_LEN(values); v++)
                for (size_t w = 0; w < ARRAY_LEN(values); w++) {
                    setup(state);
                    uint64_t *words = (uint64_t *)&file.phdrs[p];
                    words[field] = values[v];
                    words[field == 6 ? 1 : field + 1] = values[w];
                    if (check(&image) == 0)
                        assert_promises(&image);
                }
}

#define ASSERT_REFUSED(change)                                                                     \
    do {                                                                                           \
        static struct elf_image image_;                                                            \
        setup(NULL);                                                                               \
        change;                                                                                    \
        assert_int_equal(check(&image_), -ENOEXEC);                                                \
    } while (0)

static void test_refused(void **state)
{
    for (unsigned i = 0; i < 7; i++)
        ASSERT_REFUSED(file.hdr.ident[i] ^= 0xff);
    ASSERT_REFUSED(file.hdr.type = 1);
    ASSERT_REFUSED(file.hdr.machine = 183);
    ASSERT_REFUSED(file.hdr.version = 2);
    ASSERT_REFUSED(file.hdr.phentsize = 32);
    ASSERT_REFUSED(file.hdr.phnum = 0);
    ASSERT_REFUSED(file.hdr.phnum = ELF_PHDRS_MAX + 1);
    ASSERT_REFUSED(file.hdr.phoff = sizeof(file) - 100);
    ASSERT_REFUSED(file.hdr.phoff = ~0ull - 8);
    ASSERT_REFUSED(file.hdr.entry = 0x400100); /* not executable */
    ASSERT_REFUSED(file.hdr.entry = 0x401900);
    ASSERT_REFUSED(file.phdrs[3].type = ELF_PT_INTERP);
    ASSERT_REFUSED(file.phdrs[2].memsz = 0x7f);
    ASSERT_REFUSED(file.phdrs[2].filesz = 0x81);
    ASSERT_REFUSED(file.phdrs[2].offset++);
    ASSERT_REFUSED(file.phdrs[2].vaddr = 0x401f80); /* shares a page with the code */
    ASSERT_REFUSED(file.phdrs[2].vaddr = 0x200f80); /* descending */
    ASSERT_REFUSED(file.phdrs[2].vaddr = LIMIT - 0x80);
    ASSERT_REFUSED(file.phdrs[2].memsz = ~0ull - 0x403f80);
    ASSERT_REFUSED(for (int i = 0; i < 3; i++) file.phdrs[i].type = 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, setup),
        cmocka_unit_test_setup(test_every_byte, setup),
        cmocka_unit_test_setup(test_extreme_fields, setup),
        cmocka_unit_test_setup(test_refused, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
