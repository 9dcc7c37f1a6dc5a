/* The start_info of PVH with what it points to: memory map, command line, initramfs.  Each number
 * is right, near to right, or anything, as the input says. */
#include "firmware.h"

#include <string.h>

#include "../../arch/x86_64/bootmem.h"
#include "../../arch/x86_64/pvh.h"
#include "../unit/host_support.h"

#define AT_INFO    0x6000ul
#define AT_MAP     0x6100ul
#define AT_MODULE  0x7000ul
#define AT_CMDLINE 0x7100ul
#define AT_RAMFS   0x1000000ul
#define MAP_MAX    300u
#define RAM_LIMIT  (1ul << 40)
#define PAGE       PAGE_BYTES

struct entry {
    uint64_t addr, bytes;
    uint32_t type, unused;
};

struct info {
    uint32_t magic, version, flags, nmodules;
    uint64_t modules, cmdline, rsdp, memmap;
    uint32_t nmemmap, unused;
};

static struct entry map[MAP_MAX];
static unsigned nmap;
static struct info info;
static uint64_t module[4];
static paddr_t info_paddr, rsdp;
static bool right; /* nothing but the memory map is odd */

/* ---- the input */

static void take_entry(struct input *in, struct entry *e, uint64_t *at)
{
    e->type = take_byte(in) % 4 ? 1 : (uint32_t)take_below(in, 4);
    e->addr = take_paddr(in, *at);
    e->bytes = take_byte(in) % 4 ? take(in, 2) * (PAGE / 4) : take(in, 8);
    *at = e->addr + e->bytes;
}

static void take_map(struct input *in, uint8_t flags)
{
    uint64_t at = 0x4000000;
    unsigned most = flags & 1 ? MAP_MAX : 12;
    nmap = 0;
    if (flags & 2) { /* low memory, a hole, and 48 MiB with the kernel */
        map[nmap++] = (struct entry){0, 0x9fc00, 1, 0};
        map[nmap++] = (struct entry){0x9fc00, 0x100000 - 0x9fc00, 2, 0};
        map[nmap++] = (struct entry){0x100000, 0x3000000, 1, 0};
    }
    while (nmap < most && input_left(in) > 0)
        take_entry(in, &map[nmap++], &at);
    /* Many pieces: the lists must fill up without harm. */
    for (unsigned i = 0; flags & 4 && nmap < most; i++)
        map[nmap++] = (struct entry){0x10000000 + i * 2 * PAGE, PAGE, 1 + (flags >> 7), 0};
}

static void take_info(struct input *in)
{
    uint8_t odd = take_byte(in); /* which numbers are not right */
    right = odd == 0;
    info = (struct info){
        .magic = odd & 1 ? (uint32_t)take(in, 4) : 0x336ec578,
        .version = odd & 1 ? take_byte(in) : 1,
        .nmodules = odd & 2 ? take_byte(in) : 1,
        .modules = odd & 4 ? take_paddr(in, AT_MODULE) : AT_MODULE,
        .cmdline = odd & 8 ? take_paddr(in, AT_CMDLINE) : AT_CMDLINE,
        .rsdp = take(in, 4),
        .memmap = odd & 16 ? take_paddr(in, AT_MAP) : AT_MAP,
    };
    module[0] = odd & 32 ? take_paddr(in, AT_RAMFS) : AT_RAMFS;
    module[1] = odd & 64 ? take_paddr(in, 5000) : 5000;
    info_paddr = odd & 128 ? take_paddr(in, AT_INFO) : AT_INFO;
    /* The map's length is known once there is a map, unless it is a lie. */
    info.nmemmap = odd & 128 && take_byte(in) & 1 ? (uint32_t)take(in, 4) : 0;
}

static void place_all(const char *cmdline, size_t cmdline_bytes)
{
    if (info.nmemmap == 0)
        info.nmemmap = nmap;
    firmware_put(AT_CMDLINE, cmdline, cmdline_bytes);
    firmware_put(info.memmap, map, nmap * sizeof(map[0]));
    firmware_put(AT_MODULE, module, sizeof(module));
    firmware_put(info_paddr, &info, sizeof(info));
    /* Where they overlap, what counts is what the parser sees. */
    firmware_read(info_paddr, &info, sizeof(info));
    nmap = MIN(info.nmemmap, MAP_MAX);
    firmware_read(info.memmap, map, nmap * sizeof(map[0]));
}

/* ---- what must hold afterwards */

static bool entry_is_ram(const struct entry *e)
{
    return e->type == 1 && e->addr + e->bytes >= e->addr;
}

/* Does the map allow the page at `at` to be used? */
static bool page_allowed(paddr_t at)
{
    bool ram = false;
    for (unsigned i = 0; i < nmap; i++) {
        uint64_t end = map[i].addr + map[i].bytes;
        bool wraps = end < map[i].addr;
        if (entry_is_ram(&map[i]))
            ram |= map[i].addr <= at && at + PAGE <= end;
        else if (map[i].type != 1 && map[i].bytes > 0 && map[i].addr < at + PAGE &&
                 (wraps || end > at))
            return false;
    }
    return ram && at + PAGE <= RAM_LIMIT;
}

static bool is_ram(paddr_t at)
{
    return range_holds(bootinfo.ram, bootinfo.nram, at, at + PAGE);
}

/* Pages at the edges of everything: only there can the answer change. */
static void check_page(paddr_t near, bool complete)
{
    paddr_t middle = ALIGN_DOWN(near, PAGE);
    for (int i = -2; i <= 2; i++) {
        paddr_t at = middle + (paddr_t)i * PAGE;
        if (at >= RAM_LIMIT)
            continue;
        bool allowed = page_allowed(at), used = is_ram(at);
        CHECK(!used || allowed, "%#lx is not memory", at);
        CHECK(used || !allowed || !complete, "%#lx is not used", at);
    }
}

static void check_list(const struct prange *list, unsigned n)
{
    CHECK(n <= BOOT_RANGES_MAX, "%u ranges", n);
    for (unsigned i = 0; i < n; i++) {
        CHECK(list[i].beg < list[i].end, "range %u is empty", i);
        CHECK(IS_ALIGNED(list[i].beg | list[i].end, PAGE), "range %u is not of pages", i);
        CHECK(i == 0 || list[i - 1].end < list[i].beg, "ranges %u and %u touch", i - 1, i);
    }
}

static void check_ram(void)
{
    bool complete = !strstr(host_console(), "some memory is not used");
    check_list(bootinfo.ram, bootinfo.nram);
    check_list(bootinfo.reserved, bootinfo.nreserved);
    CHECK(bootinfo.nram > 0 && bootinfo.ram[bootinfo.nram - 1].end <= RAM_LIMIT, "too high");
    for (unsigned i = 0; i < bootinfo.nram; i++) {
        check_page(bootinfo.ram[i].beg, complete);
        check_page(bootinfo.ram[i].end, complete);
    }
    for (unsigned i = 0; i < nmap; i++) {
        check_page(map[i].addr, complete);
        check_page(map[i].addr + map[i].bytes, complete);
    }
    CHECK(is_ram(IMAGE_BEG) && is_ram(IMAGE_END - PAGE), "the kernel is not in memory");
    CHECK(range_holds(bootinfo.reserved, bootinfo.nreserved, 0, PAGE), "page 0");
    CHECK(range_holds(bootinfo.reserved, bootinfo.nreserved, IMAGE_BEG, IMAGE_END), "the kernel");
}

static bool may_hold_data(paddr_t at, size_t n)
{
    return at != 0 && at < BOOT_MAP_BYTES && n <= BOOT_MAP_BYTES - at &&
           (at + n <= 1 << 20 || range_holds(bootinfo.ram, bootinfo.nram, at, at + n));
}

static void check_cmdline(void)
{
    size_t n = strlen(bootinfo.cmdline);
    CHECK(n < 4096, "%zu bytes", n);
    for (size_t i = 0; i <= n; i++) {
        paddr_t at = info.cmdline + i;
        char c = 0;
        bool there = info.cmdline != 0 && may_hold_data(at, 1);
        if (there)
            firmware_read(at, &c, 1);
        CHECK(bootinfo.cmdline[i] == c || (i == 4095 && there), "byte %zu", i);
    }
}

static void check_initramfs(void)
{
    uint64_t told[4], end;
    if (!bootinfo.initramfs)
        return;
    paddr_t at = arch_ptr_to_paddr(bootinfo.initramfs);
    CHECK(info.nmodules > 0 && may_hold_data(info.modules, sizeof(told)), "nobody told of one");
    firmware_read(info.modules, told, sizeof(told));
    end = at + bootinfo.initramfs_bytes;
    CHECK(at == told[0] && bootinfo.initramfs_bytes == told[1] && end > at, "another one");
    CHECK(range_holds(bootinfo.ram, bootinfo.nram, at, end), "not in memory");
    CHECK(range_holds(bootinfo.reserved, bootinfo.nreserved, at, end), "not reserved");
    CHECK(end <= IMAGE_BEG || at >= IMAGE_END, "it is the kernel");
    CHECK(at >= PAGE, "page 0");
}

/* ---- one input */

static void parse(void)
{
    rsdp = pvh_parse(info_paddr);
}

static void *page;

static void alloc_page(void)
{
    page = boot_page_alloc();
}

/* The free page that comes first behind the image, or 0. */
static paddr_t first_free(void)
{
    for (unsigned i = 0; i < bootinfo.nram; i++) {
        paddr_t at = MAX(bootinfo.ram[i].beg, IMAGE_END);
        for (; at < bootinfo.ram[i].end; at += PAGE)
            if (!range_overlaps(bootinfo.reserved, bootinfo.nreserved, at, at + PAGE))
                return at;
    }
    return 0;
}

static void check_pages(void)
{
    for (int i = 0; i < 3; i++) {
        paddr_t want = first_free();
        /* Far up, or none: it would try every page of 4 GiB. */
        if (want == 0 || want > 0x10000000)
            return;
        const char *why = firmware_run(alloc_page);
        if (why) {
            CHECK(bootinfo.nreserved >= BOOT_RANGES_MAX - 1, "%s", why);
            return;
        }
        CHECK(arch_ptr_to_paddr(page) == want, "%#lx, not %#lx", arch_ptr_to_paddr(page), want);
        CHECK(range_holds(bootinfo.reserved, bootinfo.nreserved, want, want + PAGE), "is free");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    size_t cmdline_bytes;
    firmware_reset();
    bootinfo = (struct bootinfo){0};
    uint8_t flags = take_byte(&in);
    take_info(&in);
    const char *cmdline = (const char *)take_bytes(&in, take_byte(&in), &cmdline_bytes);
    char longest[5000];
    if (flags & 8) {
        memset(longest, 'c', sizeof(longest));
        cmdline = longest;
        cmdline_bytes = 4080 + cmdline_bytes % 32;
    }
    take_map(&in, flags);
    place_all(cmdline, cmdline_bytes);
    const char *why = firmware_run(parse);
    if (why) {
        CHECK(!right || flags != 2 || nmap != 3, "a good map is refused: %s", why);
        return 0;
    }
    CHECK(rsdp == info.rsdp, "another RSDP");
    check_ram();
    check_cmdline();
    check_initramfs();
    check_pages();
    return 0;
}
