/* RSDP, RSDT or XSDT, MADT (ACPI specification, chapter 5).  Runs under the boot map. */
#include "acpi.h"
#include "bootmem.h"
#include <kernel/base/printk.h>
#include <lib/string.h>

#define TABLE_BYTES_MAX (1u << 20)
#define COM1_ISA_IRQ    4

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t bytes; /* from here on: revision 2 */
    uint64_t xsdt;
    uint8_t checksum2, unused[3];
} __attribute__((packed));
#define RSDP_BYTES_V1 20

struct table {
    char signature[4];
    uint32_t bytes;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct madt {
    struct table head;
    uint32_t lapic, flags;
} __attribute__((packed));

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
};

struct madt_lapic {
    uint8_t type, bytes, processor, apic_id;
    uint32_t flags; /* bit 0: enabled */
} __attribute__((packed));

struct madt_ioapic {
    uint8_t type, bytes, id, unused;
    uint32_t paddr, gsi_base;
} __attribute__((packed));

struct madt_override {
    uint8_t type, bytes, bus, irq;
    uint32_t gsi;
    uint16_t flags; /* bits 0-1 polarity (3: low), bits 2-3 trigger (3: level) */
} __attribute__((packed));

static bool sum_ok(const void *p, size_t bytes)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < bytes; i++)
        sum += ((const uint8_t *)p)[i];
    return sum == 0;
}

static const struct rsdp *rsdp_at(paddr_t paddr)
{
    const struct rsdp *rsdp = boot_ptr(paddr, sizeof(*rsdp));
    if (!rsdp || memcmp(rsdp->signature, "RSD PTR ", 8) != 0 || !sum_ok(rsdp, RSDP_BYTES_V1))
        return NULL;
    return rsdp;
}

static const struct rsdp *rsdp_search(paddr_t beg, paddr_t end)
{
    for (paddr_t at = ALIGN_UP(beg, 16); at + sizeof(struct rsdp) <= end; at += 16) {
        const struct rsdp *rsdp = rsdp_at(at);
        if (rsdp)
            return rsdp;
    }
    return NULL;
}

static const struct rsdp *rsdp_find(paddr_t hint)
{
    const struct rsdp *rsdp = hint ? rsdp_at(hint) : NULL;
    if (!rsdp)
        rsdp = rsdp_search(0xe0000, 0x100000);
    if (!rsdp) {
        /* The BIOS data area holds the segment of the extended one. */
        uint16_t segment;
        memcpy(&segment, boot_ptr(0x40e, sizeof(segment)), sizeof(segment));
        paddr_t ebda = (paddr_t)segment << 4;
        if (ebda >= 0x80000 && ebda < 0xa0000)
            rsdp = rsdp_search(ebda, ebda + 1024);
    }
    return rsdp;
}

/* The table at `paddr` if it has this signature, is whole and has a good checksum, or NULL. */
static const struct table *table_at(paddr_t paddr, const char *signature)
{
    const struct table *head = boot_ptr(paddr, sizeof(*head));
    if (!head || memcmp(head->signature, signature, 4) != 0 || head->bytes < sizeof(*head) ||
        head->bytes > TABLE_BYTES_MAX)
        return NULL;
    const struct table *table = boot_ptr(paddr, head->bytes);
    return table && sum_ok(table, table->bytes) ? table : NULL;
}

/* Looks through an RSDT (entries of 4 bytes) or an XSDT (of 8). */
static const struct madt *madt_in(const struct table *root, size_t entry_bytes)
{
    for (size_t at = sizeof(*root); at + entry_bytes <= root->bytes; at += entry_bytes) {
        uint64_t paddr = 0;
        memcpy(&paddr, (const char *)root + at, entry_bytes);
        const struct table *table = table_at(paddr, "APIC");
        if (table && table->bytes >= sizeof(struct madt))
            return (const struct madt *)table;
    }
    return NULL;
}

static const struct madt *madt_find(const struct rsdp *rsdp)
{
    const struct table *xsdt = NULL, *rsdt;
    if (rsdp->revision >= 2 && sum_ok(rsdp, sizeof(*rsdp)))
        xsdt = table_at(rsdp->xsdt, "XSDT");
    if (xsdt)
        return madt_in(xsdt, 8);
    rsdt = table_at(rsdp->rsdt, "RSDT");
    return rsdt ? madt_in(rsdt, 4) : NULL;
}

static void madt_lapic(struct acpi_info *out, const struct madt_lapic *e)
{
    if (!(e->flags & 1) || e->apic_id == 0xff)
        return;
    for (unsigned i = 0; i < out->ncpus; i++) {
        if (out->apic_ids[i] == e->apic_id)
            return;
    }
    if (out->ncpus < CPUS_MAX)
        out->apic_ids[out->ncpus++] = e->apic_id;
}

static void madt_override(struct acpi_info *out, const struct madt_override *e)
{
    if (e->bus != 0 || e->irq != COM1_ISA_IRQ)
        return;
    out->com1_gsi = e->gsi;
    out->com1_active_low = (e->flags & 3) == 3;
    out->com1_level = (e->flags >> 2 & 3) == 3;
}

static void madt_ioapic(struct acpi_info *out, const struct madt_ioapic *e)
{
    if (out->has_ioapic && out->ioapic_gsi_base <= e->gsi_base)
        return;
    out->has_ioapic = true;
    out->ioapic = e->paddr;
    out->ioapic_gsi_base = e->gsi_base;
}

static void madt_parse(struct acpi_info *out, const struct madt *madt)
{
    const uint8_t *at = (const uint8_t *)(madt + 1),
                  *end = (const uint8_t *)madt + madt->head.bytes;
    while (end - at >= 2 && at[1] >= 2 && at[1] <= end - at) {
        if (at[0] == MADT_LAPIC && at[1] >= sizeof(struct madt_lapic))
            madt_lapic(out, (const void *)at);
        else if (at[0] == MADT_IOAPIC && at[1] >= sizeof(struct madt_ioapic))
            madt_ioapic(out, (const void *)at);
        else if (at[0] == MADT_OVERRIDE && at[1] >= sizeof(struct madt_override))
            madt_override(out, (const void *)at);
        at += at[1];
    }
    if (at != end)
        printk("acpi: MADT is damaged, read in part\n");
}

void acpi_parse(paddr_t hint, struct acpi_info *out)
{
    *out = (struct acpi_info){.com1_gsi = COM1_ISA_IRQ};
    const struct rsdp *rsdp = rsdp_find(hint);
    const struct madt *madt = rsdp ? madt_find(rsdp) : NULL;
    if (madt)
        madt_parse(out, madt);
    else
        printk("acpi: no usable %s: one CPU, no console input\n", rsdp ? "MADT" : "RSDP");
}
