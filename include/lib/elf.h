/* ELF64 structures (System V gABI) and the check of an executable's headers.  Pure: works on bytes,
 * no mapping. */
#pragma once

#include <lib/util.h>

#define ELF_PT_LOAD      1
#define ELF_PT_INTERP    3
#define ELF_PT_PHDR      6
#define ELF_PT_GNU_STACK 0x6474e551u
#define ELF_PF_X         1u
#define ELF_PF_W         2u
#define ELF_PF_R         4u
#define ELF_ET_EXEC      2
#define ELF_ET_DYN       3
#define ELF_EM_X86_64    62

struct elf64_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf64_phdr {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

#define ELF_PHDRS_MAX 64

/* What to map, after every field has been checked. */
struct elf_image {
    uint64_t entry;      /* unbiased */
    uint64_t phdr_vaddr; /* unbiased address of the program headers in memory; 0 if no segment holds
                            them */
    uint16_t phnum;      /* for AT_PHNUM */
    bool position_free;  /* ET_DYN: the loader picks the bias */
    uint64_t vaddr_beg, vaddr_end; /* page-rounded extent of all PT_LOAD segments */
    unsigned nloads;
    struct elf64_phdr
        loads[ELF_PHDRS_MAX]; /* PT_LOAD only, in ascending, non-overlapping page order */
};

/* Checks the file header: an ELF64 little-endian x86-64 ET_EXEC or ET_DYN with 1..ELF_PHDRS_MAX
 * program headers inside a file of `file_bytes`.  0, -ENOEXEC. */
int elf_check_header(const struct elf64_header *hdr, uint64_t file_bytes);

/* Checks the program headers and fills *image.  `vaddr_limit` is the first address a segment may
 * not reach. Demands: offset and vaddr congruent modulo page_bytes, filesz <= memsz, file range
 * inside the file, no wrap, no two segments on one page, entry inside an executable segment, no
 * PT_INTERP (dynamic linking).  0, -ENOEXEC. */
int elf_check_segments(const struct elf64_header *hdr, const struct elf64_phdr *phdrs,
                       uint64_t file_bytes, uint64_t vaddr_limit, uint64_t page_bytes,
                       struct elf_image *image);
