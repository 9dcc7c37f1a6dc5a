/* The headers of an executable.  An input is a file as it is, or (first byte odd) a file built here
 * whose header is right, so that every byte of the rest says something about segments. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <lib/elf.h>

#define PAGE  4096ull
#define LIMIT 0x3ffffffff000ull

typedef unsigned __int128 wide; /* no sum of 64-bit numbers wraps in it */

/* ---- the rules of elf.h, said a second time, as simply as it goes */

static bool ref_segment_ok(const struct elf64_phdr *p, uint64_t file_bytes, wide end_before)
{
    wide vaddr_end = (wide)p->vaddr + p->memsz;
    return p->filesz <= p->memsz && (wide)p->offset + p->filesz <= file_bytes &&
           vaddr_end <= LIMIT && p->offset % PAGE == p->vaddr % PAGE &&
           p->vaddr / PAGE * PAGE >= end_before;
}

static bool ref_ok(const struct elf64_header *hdr, const struct elf64_phdr *phdrs,
                   uint64_t file_bytes)
{
    wide end = 0;
    bool entry_found = false;
    for (unsigned i = 0; i < hdr->phnum; i++) {
        const struct elf64_phdr *p = &phdrs[i];
        if (p->type == ELF_PT_INTERP)
            return false;
        if (p->type != ELF_PT_LOAD || p->memsz == 0)
            continue;
        if (!ref_segment_ok(p, file_bytes, end))
            return false;
        end = ((wide)p->vaddr + p->memsz + PAGE - 1) / PAGE * PAGE;
        entry_found |= (p->flags & ELF_PF_X) && hdr->entry >= p->vaddr &&
                       (wide)hdr->entry < (wide)p->vaddr + p->memsz;
    }
    return entry_found;
}

static bool ref_header_ok(const struct elf64_header *hdr, uint64_t file_bytes)
{
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    return memcmp(hdr->ident, ident, sizeof(ident)) == 0 && (hdr->type == 2 || hdr->type == 3) &&
           hdr->machine == 62 && hdr->version == 1 && hdr->ehsize >= 64 && hdr->phentsize == 56 &&
           hdr->phnum >= 1 && hdr->phnum <= 64 && (wide)hdr->phoff + hdr->phnum * 56 <= file_bytes;
}

/* ---- what an accepted image promises to the loader */

static void check_image(const struct elf_image *image, const struct elf64_header *hdr,
                        const struct elf64_phdr *phdrs)
{
    uint64_t phdr_vaddr = 0, phdrs_bytes = hdr->phnum * sizeof(struct elf64_phdr);
    unsigned n = 0;
    for (unsigned i = 0; i < hdr->phnum; i++) {
        const struct elf64_phdr *p = &phdrs[i];
        if (p->type != ELF_PT_LOAD || p->memsz == 0)
            continue;
        CHECK(n < image->nloads, "a segment is missing");
        CHECK(memcmp(&image->loads[n++], p, sizeof(*p)) == 0, "segment %u changed", i);
        if (!phdr_vaddr && hdr->phoff >= p->offset &&
            (wide)hdr->phoff + phdrs_bytes <= (wide)p->offset + p->filesz)
            phdr_vaddr = p->vaddr + (hdr->phoff - p->offset);
    }
    CHECK(n == image->nloads && n > 0, "%u segments, not %u", image->nloads, n);
    const struct elf64_phdr *last = &image->loads[n - 1];
    CHECK(image->vaddr_beg == image->loads[0].vaddr / PAGE * PAGE, "beginning");
    CHECK(image->vaddr_end == (last->vaddr + last->memsz + PAGE - 1) / PAGE * PAGE, "end");
    CHECK(image->vaddr_end <= LIMIT, "beyond user space");
    CHECK(image->phdr_vaddr == phdr_vaddr, "program headers");
    CHECK(image->entry == hdr->entry && image->phnum == hdr->phnum, "entry, phnum");
    CHECK(image->position_free == (hdr->type == ELF_ET_DYN), "kind");
}

/* As exec does it: the header, then the program headers where it says. */
static void check_file(const uint8_t *file, size_t file_bytes)
{
    static struct elf_image image;
    struct elf64_header hdr;
    if (file_bytes < sizeof(hdr))
        return;
    memcpy(&hdr, file, sizeof(hdr));
    int err = elf_check_header(&hdr, file_bytes);
    CHECK(err == (ref_header_ok(&hdr, file_bytes) ? 0 : -ENOEXEC), "header: %d", err);
    if (err)
        return;
    struct elf64_phdr *phdrs = fuzz_copy(file + hdr.phoff, hdr.phnum * sizeof(*phdrs));
    err = elf_check_segments(&hdr, phdrs, file_bytes, LIMIT, PAGE, &image);
    CHECK(err == (ref_ok(&hdr, phdrs, file_bytes) ? 0 : -ENOEXEC), "segments: %d", err);
    if (!err)
        check_image(&image, &hdr, phdrs);
    free(phdrs);
}

/* ---- a file with a good header */

/* A number near something that matters: a place in the file or in memory, a limit, or anything. */
static uint64_t take_number(struct input *in, uint64_t near)
{
    switch (take_below(in, 5)) {
    case 0:
        return near;
    case 1:
        return near + take(in, 2);
    case 2:
        return (uint64_t)take(in, 2) * PAGE + take(in, 1);
    case 3:
        return LIMIT - take(in, 2);
    default:
        return take(in, 8);
    }
}

static void take_segment(struct input *in, struct elf64_phdr *p, uint64_t *vaddr)
{
    static const uint32_t types[] = {ELF_PT_LOAD, ELF_PT_LOAD,      ELF_PT_LOAD,
                                     ELF_PT_PHDR, ELF_PT_GNU_STACK, ELF_PT_INTERP};
    p->type = types[take_below(in, ARRAY_LEN(types))];
    p->flags = take_byte(in);
    p->vaddr = take_number(in, *vaddr);
    p->offset = take_number(in, p->vaddr % PAGE);
    p->filesz = take_number(in, take_byte(in));
    p->memsz = take_number(in, p->filesz);
    *vaddr = ALIGN_UP(p->vaddr + p->memsz, PAGE);
}

static void check_built(struct input *in)
{
    static uint8_t file[5 * PAGE];
    struct elf64_header hdr = {
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .machine = ELF_EM_X86_64,
        .version = 1,
        .phoff = sizeof(hdr),
        .ehsize = sizeof(hdr),
        .phentsize = sizeof(struct elf64_phdr),
    };
    struct elf64_phdr phdrs[ELF_PHDRS_MAX];
    uint64_t vaddr = 0x400000;
    hdr.type = take_byte(in) & 1 ? ELF_ET_DYN : ELF_ET_EXEC;
    hdr.phnum = (uint16_t)(1 + take_below(in, ELF_PHDRS_MAX));
    hdr.entry = take_number(in, vaddr);
    if (take_byte(in) % 8 == 7)
        ((uint8_t *)&hdr)[take_below(in, sizeof(hdr))] = take_byte(in);
    memset(phdrs, 0, sizeof(phdrs));
    for (unsigned i = 0; i < MIN(hdr.phnum, ELF_PHDRS_MAX) && input_left(in) > 0; i++)
        take_segment(in, &phdrs[i], &vaddr);
    memset(file, 0, sizeof(file));
    memcpy(file, &hdr, sizeof(hdr));
    memcpy(file + sizeof(hdr), phdrs, sizeof(phdrs));
    check_file(file, sizeof(file) - take_byte(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    if (take_byte(&in) & 1)
        check_built(&in);
    else
        check_file(in.at, input_left(&in));
    return 0;
}
