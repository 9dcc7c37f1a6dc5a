#include <abi/errno.h>
#include <lib/elf.h>
#include <lib/string.h>

#define CLASS_64      2
#define DATA_LITTLE   1
#define VERSION       1
#define IDENT_CLASS   4
#define IDENT_DATA    5
#define IDENT_VERSION 6

/* Is [offset, offset + bytes) inside [0, limit)? */
static bool range_fits(uint64_t offset, uint64_t bytes, uint64_t limit)
{
    return offset <= limit && bytes <= limit - offset;
}

int elf_check_header(const struct elf64_header *hdr, uint64_t file_bytes)
{
    const uint8_t *ident = hdr->ident;
    if (memcmp(ident, "\177ELF", 4) != 0 || ident[IDENT_CLASS] != CLASS_64 ||
        ident[IDENT_DATA] != DATA_LITTLE || ident[IDENT_VERSION] != VERSION)
        return -ENOEXEC;
    if ((hdr->type != ELF_ET_EXEC && hdr->type != ELF_ET_DYN) || hdr->machine != ELF_EM_X86_64 ||
        hdr->version != VERSION || hdr->ehsize < sizeof(*hdr))
        return -ENOEXEC;
    if (hdr->phentsize != sizeof(struct elf64_phdr) || hdr->phnum == 0 ||
        hdr->phnum > ELF_PHDRS_MAX)
        return -ENOEXEC;
    if (!range_fits(hdr->phoff, hdr->phnum * sizeof(struct elf64_phdr), file_bytes))
        return -ENOEXEC;
    return 0;
}

/* One PT_LOAD against the file, the address space and the segments before it. */
static bool load_ok(const struct elf64_phdr *load, const struct elf_image *image,
                    uint64_t file_bytes, uint64_t vaddr_limit, uint64_t page_bytes)
{
    if (load->filesz > load->memsz || !range_fits(load->offset, load->filesz, file_bytes))
        return false;
    if (!range_fits(load->vaddr, load->memsz, vaddr_limit) ||
        ALIGN_UP_OVERFLOWS(load->vaddr + load->memsz, page_bytes) ||
        ALIGN_UP(load->vaddr + load->memsz, page_bytes) > vaddr_limit)
        return false;
    if ((load->offset - load->vaddr) % page_bytes != 0)
        return false;
    return image->nloads == 0 || ALIGN_DOWN(load->vaddr, page_bytes) >= image->vaddr_end;
}

/* Takes one checked PT_LOAD into the image. */
static void load_add(struct elf_image *image, const struct elf64_phdr *load,
                     const struct elf64_header *hdr, uint64_t page_bytes)
{
    if (image->nloads == 0)
        image->vaddr_beg = ALIGN_DOWN(load->vaddr, page_bytes);
    image->vaddr_end = ALIGN_UP(load->vaddr + load->memsz, page_bytes);
    image->loads[image->nloads++] = *load;

    uint64_t phdrs_bytes = hdr->phnum * sizeof(struct elf64_phdr);
    if (!image->phdr_vaddr && hdr->phoff >= load->offset &&
        range_fits(hdr->phoff - load->offset, phdrs_bytes, load->filesz))
        image->phdr_vaddr = load->vaddr + (hdr->phoff - load->offset);
}

static bool entry_ok(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->nloads; i++) {
        const struct elf64_phdr *load = &image->loads[i];
        if ((load->flags & ELF_PF_X) && image->entry >= load->vaddr &&
            image->entry - load->vaddr < load->memsz)
            return true;
    }
    return false;
}

int elf_check_segments(const struct elf64_header *hdr, const struct elf64_phdr *phdrs,
                       uint64_t file_bytes, uint64_t vaddr_limit, uint64_t page_bytes,
                       struct elf_image *image)
{
    *image = (struct elf_image){
        .entry = hdr->entry,
        .phnum = hdr->phnum,
        .position_free = hdr->type == ELF_ET_DYN,
    };
    for (unsigned i = 0; i < hdr->phnum; i++) {
        const struct elf64_phdr *phdr = &phdrs[i];
        if (phdr->type == ELF_PT_INTERP)
            return -ENOEXEC;
        if (phdr->type != ELF_PT_LOAD || phdr->memsz == 0)
            continue;
        if (!load_ok(phdr, image, file_bytes, vaddr_limit, page_bytes))
            return -ENOEXEC;
        load_add(image, phdr, hdr, page_bytes);
    }
    return entry_ok(image) ? 0 : -ENOEXEC;
}
