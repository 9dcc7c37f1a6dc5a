/* The initramfs of a host machine: each program an ELF file whose text says which program it is. */
#include "host.h"
#include "machine.h"
#include <arch/mmu.h>
#include <lib/elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_ADDRESS 0x400000ul
#define BSS_BYTES    0x3000ul

struct program_file {
    struct elf64_header header;
    struct elf64_phdr phdrs[2];
    uint64_t text; /* PROGRAM_MAGIC and the number */
    uint64_t data; /* the end of it is in a page with zeros behind */
};

static struct program_file program_file(unsigned number)
{
    const uint64_t text_offset = offsetof(struct program_file, text);
    const uint64_t data_offset = offsetof(struct program_file, data);
    return (struct program_file){
        .header = {.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
                   .type = ELF_ET_EXEC,
                   .machine = ELF_EM_X86_64,
                   .version = 1,
                   .entry = TEXT_ADDRESS + text_offset,
                   .phoff = sizeof(struct elf64_header),
                   .ehsize = sizeof(struct elf64_header),
                   .phentsize = sizeof(struct elf64_phdr),
                   .phnum = 2},
        .phdrs = {{.type = ELF_PT_LOAD,
                   .flags = ELF_PF_R | ELF_PF_X,
                   .vaddr = TEXT_ADDRESS,
                   .filesz = sizeof(struct program_file),
                   .memsz = sizeof(struct program_file)},
                  {.type = ELF_PT_LOAD,
                   .flags = ELF_PF_R | ELF_PF_W,
                   .offset = data_offset,
                   .vaddr = TEXT_ADDRESS + PAGE_BYTES + data_offset,
                   .filesz = sizeof(uint64_t),
                   .memsz = BSS_BYTES}},
        .text = PROGRAM_MAGIC | number,
        .data = 0x5ca1ab1e,
    };
}

struct archive {
    char *at, *end;
    unsigned ino;
};

static void put(struct archive *a, const void *data, size_t bytes)
{
    size_t padded = ALIGN_UP(bytes, 4);
    if (padded > (size_t)(a->end - a->at))
        abort();
    memset(a->at, 0, padded);
    memcpy(a->at, data, bytes);
    a->at += padded;
}

static void put_member(struct archive *a, const char *name, unsigned mode, const void *data,
                       size_t bytes)
{
    char head[110 + 256];
    int n =
        snprintf(head, sizeof head, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s",
                 ++a->ino, mode, 0u, 0u, 1u, 0u, (unsigned)bytes, 0u, 0u, 0u, 0u,
                 (unsigned)strlen(name) + 1, 0u, name);
    put(a, head, (size_t)n + 1);
    put(a, data, bytes);
}

size_t image_build(char *to, size_t room, const struct host_program *programs)
{
    static const char *const folders[] = {"dev", "proc", "tmp", "bin"};
    struct archive a = {.at = to, .end = to + room};
    for (unsigned i = 0; i < ARRAY_LEN(folders); i++)
        put_member(&a, folders[i], i == 2 ? 041777 : 040755, "", 0);
    for (unsigned i = 0; programs[i].path; i++) {
        struct program_file file = program_file(i);
        put_member(&a, programs[i].path + 1, 0100755, &file, sizeof file);
    }
    put_member(&a, "TRAILER!!!", 0, "", 0);
    return (size_t)(a.at - to);
}
