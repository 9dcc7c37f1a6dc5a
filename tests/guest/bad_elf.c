/* exec of programs that are cut short, changed in any byte of their headers, or made to trouble the
 * loader.  Each either fails to exec or runs and ends somehow; this process and the kernel go on.
 * The first argument is the seed. */
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "child.h"

#define PATH      "/tmp/victim"
#define CODE_BASE 0x400000ul

/* A whole program: exit(42). */
static const unsigned char code[] = {
    0xb8, 0x3c, 0, 0, 0, /* mov eax, 60 */
    0xbf, 0x2a, 0, 0, 0, /* mov edi, 42 */
    0x0f, 0x05,          /* syscall */
    0x0f, 0x0b,          /* ud2 */
};

struct image {
    Elf64_Ehdr eh;
    Elf64_Phdr ph[2];
    unsigned char code[sizeof(code)];
};

static struct rng rng;

static struct image image_make(void)
{
    struct image im = {
        .eh = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
               .e_type = ET_EXEC,
               .e_machine = EM_X86_64,
               .e_version = EV_CURRENT,
               .e_entry = CODE_BASE + offsetof(struct image, code),
               .e_phoff = offsetof(struct image, ph),
               .e_ehsize = sizeof(Elf64_Ehdr),
               .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 2},
        .ph = {{.p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_vaddr = CODE_BASE,
                .p_filesz = sizeof(struct image),
                .p_memsz = sizeof(struct image),
                .p_align = 4096},
               {.p_type = PT_LOAD,
                .p_flags = PF_R | PF_W,
                .p_vaddr = CODE_BASE + 0x10000,
                .p_memsz = 0x3000,
                .p_align = 4096}},
    };

    memcpy(im.code, code, sizeof(code));
    return im;
}

static void exec_victim(void *arg)
{
    char *argv[] = {PATH, NULL}, *envp[] = {NULL};

    (void)arg;
    execve(PATH, argv, envp);
    _exit(100 + (errno != ENOEXEC && errno != ENOMEM && errno != EINVAL && errno != EFAULT &&
                 errno != E2BIG && errno != EACCES && errno != EIO && errno != ENOENT));
}

/* Writes the first n bytes as the program, runs it, and gives its wait status. */
static int image_run(const void *im, size_t n)
{
    int fd = open(PATH, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    int status;

    CHECK(fd >= 0, "%s: %s", PATH, strerror(errno));
    CHECK_EQ(write(fd, im, n), (ssize_t)n);
    CHECK_OK(close(fd));
    status = child_any_end(child_start(exec_victim, NULL), 500);
    CHECK(status != 101 << 8, "exec fails with an errno that tells nothing");
    return status;
}

static void case_whole(void)
{
    struct image im = image_make();

    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(image_run(&im, sizeof(im)), 42 << 8);
}

static void case_every_length(void)
{
    struct image im = image_make();

    for (size_t n = 0; n < sizeof(im); n++) {
        int status = image_run(&im, n);

        if (n < offsetof(struct image, code))
            CHECK(status == 100 << 8, "a program of %zu bytes ended with 0x%x", n,
                  (unsigned)status);
    }
}

static void bytes_change(size_t beg, size_t end)
{
    static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

    for (size_t at = beg; at < end; at++) {
        struct image im = image_make();

        ((unsigned char *)&im)[at] = values[rng_below(&rng, sizeof(values))];
        image_run(&im, sizeof(im));
        ((unsigned char *)&im)[at] = (unsigned char)rng_next(&rng);
        image_run(&im, sizeof(im));
    }
}

static void case_every_byte_of_the_header(void)
{
    bytes_change(0, offsetof(struct image, ph));
}

static void case_every_byte_of_the_segments(void)
{
    bytes_change(offsetof(struct image, ph), offsetof(struct image, code));
}

static void case_random_changes(void)
{
    for (unsigned i = 0; i < 150; i++) {
        struct image im = image_make();
        unsigned n = 1 + (unsigned)rng_below(&rng, 6);

        while (n-- > 0)
            ((unsigned char *)&im)[16 + rng_below(&rng, offsetof(struct image, code) - 16)] =
                (unsigned char)rng_next(&rng);
        image_run(&im, sizeof(im));
    }
}

/* Values that are chosen to overflow a sum or to reach what is not the program's. */
static const uint64_t nasty[] = {0,
                                 1,
                                 4095,
                                 0x7fffffffe000,
                                 0x7ffffffff000,
                                 0x7fffffffffff,
                                 0x800000000000,
                                 0x7fffffffffffffff,
                                 0x8000000000000000,
                                 0xffff800000000000,
                                 0xffffffff80000000,
                                 0xfffffffffffff000,
                                 UINT64_MAX};

static void case_nasty_values(void)
{
    for (unsigned i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
        for (unsigned segment = 0; segment < 2; segment++) {
            for (unsigned field = 0; field < 5; field++) {
                struct image im = image_make();
                Elf64_Phdr *ph = &im.ph[segment];
                uint64_t *const fields[] = {&ph->p_offset, &ph->p_vaddr, &ph->p_filesz,
                                            &ph->p_memsz, &ph->p_align};

                *fields[field] = nasty[i];
                image_run(&im, sizeof(im));
            }
        }
        struct image im = image_make();

        im.eh.e_entry = nasty[i];
        CHECK(image_run(&im, sizeof(im)) != 42 << 8, "entry %#lx ran", (unsigned long)nasty[i]);
        im = image_make();
        im.eh.e_phoff = nasty[i];
        image_run(&im, sizeof(im));
    }
}

static void case_overlaps_and_flags(void)
{
    struct image im = image_make();

    im.ph[1].p_vaddr = CODE_BASE;
    image_run(&im, sizeof(im));
    im = image_make();
    im.ph[0].p_flags = PF_R;
    CHECK(image_run(&im, sizeof(im)) != 42 << 8, "A6: code without PF_X ran");
    im = image_make();
    im.ph[0].p_flags = 0;
    CHECK(image_run(&im, sizeof(im)) != 42 << 8, "A6: code without any flag ran");
    im = image_make();
    im.ph[0].p_flags = PF_R | PF_W | PF_X;
    image_run(&im, sizeof(im));
    im = image_make();
    im.ph[1].p_memsz = 1ul << 40;
    image_run(&im, sizeof(im));
    im = image_make();
    im.eh.e_phnum = 0;
    CHECK(image_run(&im, sizeof(im)) != 42 << 8, "a program without segments ran");
    im = image_make();
    im.eh.e_phnum = 0xffff;
    image_run(&im, sizeof(im));
    CHECK_OK(unlink(PATH));
}

int main(int argc, char **argv)
{
    rng = rng_from_args(argc, argv);
    RUN(case_whole);
    RUN(case_every_length);
    RUN(case_every_byte_of_the_header);
    RUN(case_every_byte_of_the_segments);
    RUN(case_random_changes);
    RUN(case_nasty_values);
    RUN(case_overlaps_and_flags);
    return check_done();
}
