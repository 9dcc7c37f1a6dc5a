#include "firmware.h"

#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../arch/x86_64/bootmem.h"
#include "../unit/host_support.h"

#define GRANT_GAP 32u /* blocks are aligned as in memory, up to this */

struct piece {
    paddr_t paddr;
    size_t n;
    char *data;
};

static struct piece pieces[FIRMWARE_PIECES_MAX];
static unsigned npieces;

/* What boot_ptr hands out: blocks of this, with poison between them.  Faster than malloc(), and a
 * search of the BIOS asks for thousands. */
static char *grants;
static size_t grants_used;
static jmp_buf stopped;
static const char *stop_reason;

const char image_text_beg[1], image_end[1];

static char *map_memory(size_t n)
{
    char *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED, "no memory");
    return p;
}

void firmware_reset(void)
{
    while (npieces > 0)
        free(pieces[--npieces].data);
    host_console_clear();
    if (!host_arena) {
        /* boot_page_alloc() clears pages below 4 GiB; few are ever touched. */
        host_arena = map_memory(BOOT_MAP_BYTES);
        grants = map_memory(FIRMWARE_BYTES_MAX);
        grants_used = FIRMWARE_BYTES_MAX;
    }
    ASAN_POISON_MEMORY_REGION(grants, grants_used);
    grants_used = 0;
}

void firmware_put(paddr_t paddr, const void *data, size_t n)
{
    CHECK(npieces < FIRMWARE_PIECES_MAX, "too many pieces");
    pieces[npieces++] = (struct piece){paddr, n, fuzz_copy(data, n)};
}

void firmware_read(paddr_t paddr, void *to, size_t n)
{
    memset(to, 0, n);
    for (unsigned i = 0; i < npieces; i++) {
        paddr_t beg = MAX(paddr, pieces[i].paddr);
        paddr_t end = MIN(paddr + n, pieces[i].paddr + pieces[i].n);
        if (beg < end)
            memcpy((char *)to + (beg - paddr), pieces[i].data + (beg - pieces[i].paddr), end - beg);
    }
}

const char *firmware_run(void (*fn)(void))
{
    stop_reason = NULL;
    if (setjmp(stopped) == 0)
        fn();
    return stop_reason;
}

paddr_t take_paddr(struct input *in, paddr_t near)
{
    switch (take_below(in, 6)) {
    case 0:
    case 1:
        return near;
    case 2:
        return near + (int8_t)take_byte(in);
    case 3:
        return take(in, 2) * PAGE_BYTES + take_byte(in);
    case 4:
        return take(in, 4);
    default:
        return take(in, 8);
    }
}

/* ---- what arch/x86_64/boot.c has on the machine */

_Noreturn void boot_fail(const char *why)
{
    stop_reason = why;
    longjmp(stopped, 1);
}

paddr_t image_paddr(const void *p)
{
    CHECK(p == image_text_beg || p == image_end, "not of the image");
    return p == image_text_beg ? IMAGE_BEG : IMAGE_END;
}

const void *boot_ptr(paddr_t paddr, uint64_t bytes)
{
    if (paddr == 0 || paddr >= BOOT_MAP_BYTES || bytes > BOOT_MAP_BYTES - paddr)
        return NULL;
    size_t beg = ALIGN_UP(grants_used + GRANT_GAP, GRANT_GAP) + paddr % GRANT_GAP;
    CHECK(bytes < FIRMWARE_BYTES_MAX - beg, "asked for %lu bytes and more", bytes);
    grants_used = beg + bytes;
    ASAN_UNPOISON_MEMORY_REGION(grants + beg, bytes);
    firmware_read(paddr, grants + beg, bytes);
    return grants + beg;
}
