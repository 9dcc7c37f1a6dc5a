/* The ACPI tables: an RSDP, an RSDT or XSDT with some tables and a MADT built from the input, with
 * good checksums, and then damaged where the input says so. */
#include "firmware.h"

#include <string.h>

#include "../../arch/x86_64/acpi.h"

#define AT_MADT  0x7fe3000ul
#define AT_OTHER 0x7fe5008ul
#define AT_ROOT  0x7fe1004ul
#define AT_EBDA  0x9fc00ul
#define AT_BIOS  0xf5a40ul
#define AT_LOOSE 0x7fe0000ul /* only a hint finds it */
#define HEAD     36u

static uint8_t madt[2048], root[1024], other[64], rsdp[36];
static size_t madt_bytes, root_bytes;
static bool whole; /* nothing is damaged: the expectation counts */

static void put_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static void sum_fix(uint8_t *p, size_t n, uint8_t *sum)
{
    *sum = 0;
    uint8_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += p[i];
    *sum = (uint8_t)-total;
}

static void head_fix(uint8_t *table, const char *signature, size_t n)
{
    memcpy(table, signature, 4);
    put_u32(table + 4, (uint32_t)n);
    sum_fix(table, n, table + 9);
}

/* ---- the MADT, and what it means */

static void expect_entry(struct acpi_info *want, const uint8_t *e, unsigned bytes)
{
    uint32_t a = 0, b = 0;
    if (bytes >= 8)
        memcpy(&a, e + 4, 4);
    if (bytes >= 12)
        memcpy(&b, e + 8, 4);
    if (e[0] == 0 && bytes >= 8 && (a & 1) && e[3] != 0xff && want->ncpus < CPUS_MAX &&
        !memchr(want->apic_ids, e[3], want->ncpus))
        want->apic_ids[want->ncpus++] = e[3];
    if (e[0] == 1 && bytes >= 12 && (!want->has_ioapic || b < want->ioapic_gsi_base)) {
        want->has_ioapic = true;
        want->ioapic = a;
        want->ioapic_gsi_base = b;
    }
    if (e[0] == 2 && bytes >= 10 && e[2] == 0 && e[3] == 4) {
        want->com1_gsi = a;
        want->com1_active_low = (e[8] & 3) == 3;
        want->com1_level = (e[8] & 12) == 12;
    }
}

static uint8_t *take_entry(struct input *in, uint8_t *e)
{
    static const uint8_t lengths[] = {8, 12, 10};
    size_t n;
    uint8_t how = take_byte(in);
    e[0] = how & 3;
    e[1] = e[0] < 3 ? lengths[e[0]] : (uint8_t)(2 + take_below(in, 20));
    if (how >= 0xf0)
        e[1] = (uint8_t)(2 + take_below(in, 254));
    const uint8_t *raw = take_bytes(in, e[1] - 2u, &n);
    if (n > 0)
        memcpy(e + 2, raw, n);
    if (e[0] == 2 && how & 4) { /* COM1's */
        e[2] = 0;
        e[3] = 4;
    }
    return e + e[1];
}

/* The last entry may be cut: then it counts for nothing. */
static void take_madt(struct input *in, struct acpi_info *want, bool cut)
{
    uint8_t *e = madt + HEAD + 8, *end = e;
    unsigned missing = cut ? 1 + take_below(in, 12) : 0;
    memset(madt, 0, sizeof(madt));
    while (input_left(in) > 0 && end < madt + sizeof(madt) - 256) {
        if (end > e)
            expect_entry(want, e, e[1]);
        e = end;
        end = take_entry(in, e);
    }
    if (end > e && missing == 0)
        expect_entry(want, e, e[1]);
    madt_bytes = (size_t)(MAX(end - missing, e) - madt);
    head_fix(madt, "APIC", madt_bytes);
}

/* ---- the tables that lead there */

/* Some entries that lead nowhere, then the MADT's. */
static void take_root(struct input *in, bool xsdt)
{
    size_t entry_bytes = xsdt ? 8 : 4;
    unsigned strays = take_byte(in) % 8;
    memset(root, 0, sizeof(root));
    root_bytes = HEAD;
    for (unsigned i = 0; i <= strays; i++) {
        paddr_t at = i == strays ? AT_MADT : take_paddr(in, AT_OTHER);
        memcpy(root + root_bytes, &at, entry_bytes);
        root_bytes += entry_bytes;
    }
    head_fix(root, xsdt ? "XSDT" : "RSDT", root_bytes);
}

static void build_rsdp(bool xsdt)
{
    memset(rsdp, 0, sizeof(rsdp));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = xsdt ? 2 : 0;
    put_u32(rsdp + 16, xsdt ? 0x1234 : AT_ROOT);
    put_u32(rsdp + 20, sizeof(rsdp));
    if (xsdt)
        put_u32(rsdp + 24, AT_ROOT);
    sum_fix(rsdp, 20, rsdp + 8);
    sum_fix(rsdp, sizeof(rsdp), rsdp + 32);
}

/* Changes some bytes, before or after the checksums are made good again. */
static void take_damage(struct input *in)
{
    static uint8_t *const tables[] = {rsdp, root, madt, other};
    size_t bytes[] = {sizeof(rsdp), root_bytes, madt_bytes, sizeof(other)};
    unsigned n = take_byte(in) % 4;
    bool fix = take_byte(in) & 1;
    for (unsigned i = 0; i < n; i++) {
        unsigned t = take_below(in, ARRAY_LEN(tables));
        /* Most of what matters is in the first bytes. */
        size_t at = (take_byte(in) & 1 ? take(in, 2) : take_below(in, HEAD + 12)) % bytes[t];
        tables[t][at] = take_byte(in);
        whole = false;
    }
    if (n == 0 || !fix)
        return;
    uint32_t claimed;
    memcpy(&claimed, madt + 4, 4);
    sum_fix(madt, MIN((size_t)claimed, sizeof(madt)), madt + 9);
    sum_fix(other, sizeof(other), other + 9);
    memcpy(&claimed, root + 4, 4);
    sum_fix(root, MIN((size_t)claimed, sizeof(root)), root + 9);
    sum_fix(rsdp, 20, rsdp + 8);
    sum_fix(rsdp, sizeof(rsdp), rsdp + 32);
}

static paddr_t place_rsdp(unsigned where)
{
    static const paddr_t places[] = {AT_LOOSE, AT_BIOS, AT_EBDA};
    uint16_t ebda = AT_EBDA >> 4;
    firmware_put(0x40e, &ebda, sizeof(ebda));
    firmware_put(places[where], rsdp, sizeof(rsdp));
    return places[where];
}

/* ---- one input */

static paddr_t hint;
static struct acpi_info got;

static void parse(void)
{
    acpi_parse(hint, &got);
}

static void check_any(void)
{
    CHECK(got.ncpus <= CPUS_MAX, "%u CPUs", got.ncpus);
    for (unsigned i = 0; i < got.ncpus; i++)
        CHECK(got.apic_ids[i] != 0xff && !memchr(got.apic_ids, got.apic_ids[i], i), "CPU %u", i);
}

static void check_wanted(const struct acpi_info *want)
{
    CHECK(got.ncpus == want->ncpus, "%u CPUs, not %u", got.ncpus, want->ncpus);
    CHECK(memcmp(got.apic_ids, want->apic_ids, want->ncpus) == 0, "other CPUs");
    CHECK(got.has_ioapic == want->has_ioapic && got.ioapic == want->ioapic &&
              got.ioapic_gsi_base == want->ioapic_gsi_base,
          "I/O APIC");
    CHECK(got.com1_gsi == want->com1_gsi && got.com1_active_low == want->com1_active_low &&
              got.com1_level == want->com1_level,
          "COM1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    struct acpi_info want = {.com1_gsi = 4};
    uint8_t flags = take_byte(&in);
    bool xsdt = flags & 1;
    firmware_reset();
    whole = true;
    /* Searching takes long: only now and then. */
    unsigned where = flags >> 4 == 15 ? 1 : flags >> 4 == 14 ? 2 : 0;
    struct input damage = in;
    (void)take(&in, 8); /* what take_damage reads, or most of it */
    take_root(&in, xsdt);
    take_madt(&in, &want, flags & 8);
    build_rsdp(xsdt);
    memset(other, 0, sizeof(other));
    head_fix(other, flags & 2 ? "APIC" : "FACP", sizeof(other));
    whole = !(flags & 2);
    take_damage(&damage);
    hint = place_rsdp(where);
    if (where != 0)
        hint = flags & 4 ? 0 : take_paddr(&damage, 0);
    firmware_put(AT_ROOT, root, root_bytes);
    firmware_put(AT_OTHER, other, sizeof(other));
    firmware_put(AT_MADT, madt, madt_bytes);
    CHECK(firmware_run(parse) == NULL, "no table stops a boot");
    check_any();
    if (whole)
        check_wanted(&want);
    return 0;
}
