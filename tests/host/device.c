#include "device.h"

#include <host.h>

#include <arch/mmu.h>
#include <kernel/mm/addrspace.h>
#include <kernel/mm/memstore.h>
#include <kernel/proc/process.h>
#include <kernel/sched/thread.h>

struct device device;
static struct memstore store;

static long bring_in(void *idx)
{
    struct page *page;
    err_t err = memstore_page(&store, (size_t)idx, &page);
    if (!err)
        page_unpin(page);
    return err;
}

static err_t device_fill(struct memstore *s, size_t idx, struct page *page)
{
    if (device.slow) {
        __atomic_store_n(&device.filling, 1, __ATOMIC_SEQ_CST);
        while (!__atomic_load_n(&device.may_fill, __ATOMIC_SEQ_CST))
            thread_yield();
    }
    if (device.fill_err)
        return device.fill_err;
    if (device.fails_at && idx == device.fails_at) {
        (void)bring_in((void *)device.asked);
        return -EIO;
    }
    device.fills++;
    (void)memstore_fill_zero(s, idx, page);
    *(uint8_t *)page_to_ptr(page) = device.content[idx];
    return 0;
}

static err_t device_save(struct memstore *s, size_t idx, struct page *page)
{
    if (device.save_err)
        return device.save_err;
    device.saves++;
    device.content[idx] = *(uint8_t *)page_to_ptr(page);
    return 0;
}

static err_t device_mapped(struct memstore *s, const struct mapping_event *event)
{
    device.mappings += !device.map_err;
    return device.map_err;
}

static void device_unmapped(struct memstore *s, struct addrspace *as)
{
    device.mappings--;
}

static void device_release(struct memstore *s)
{
    device.released = true;
}

static const struct memstore_ops plain_ops = {
    .name = "device",
    .fill = device_fill,
    .mapped = device_mapped,
    .unmapped = device_unmapped,
    .release = device_release,
};

static const struct memstore_ops saved_ops = {
    .name = "saved",
    .fill = device_fill,
    .writeback = device_save,
    .release = device_release,
};

/* ---- in kernel mode */

static long begin(void *ops)
{
    memstore_init(&store, ops, DEVICE_PAGES);
    return 0;
}

static long promise(void *arg)
{
    return memstore_promise(&store);
}

static long map(void *arg)
{
    uintptr_t addr;
    err_t err = addrspace_map(process_current()->as, arg, &addr);
    return err ? err : (long)addr;
}

static long resize(void *npages)
{
    return memstore_resize(&store, (size_t)npages);
}

static long populate(void *range)
{
    const size_t *pages = range;
    return memstore_populate(&store, pages[0], pages[1]);
}

static long resident(void *arg)
{
    return (long)memstore_resident(&store);
}

static long end(void *arg)
{
    memstore_put(&store);
    return 0;
}

/* ---- for programs */

void device_begin(bool written_back)
{
    device = (struct device){.content = {10, 11, 12, 13, 14, 15, 16, 17}};
    (void)host_in_kernel(begin, (void *)(written_back ? &saved_ops : &plain_ops));
}

long device_promise(void)
{
    return host_in_kernel(promise, NULL);
}

long device_map(uintptr_t at, bool shared)
{
    struct map_request req = {
        .addr = at,
        .place = MAP_AT,
        .bytes = DEVICE_PAGES * PAGE_BYTES,
        .prot = VP_READ | VP_WRITE,
        .max_prot = VP_READ | VP_WRITE,
        .shared = shared,
        .store = &store,
    };
    return host_in_kernel(map, &req);
}

long device_resize(size_t npages)
{
    return host_in_kernel(resize, (void *)npages);
}

long device_page(size_t idx)
{
    return host_in_kernel(bring_in, (void *)idx);
}

long device_populate(size_t first, size_t end)
{
    size_t range[] = {first, end};
    return host_in_kernel(populate, range);
}

long device_resident(void)
{
    return host_in_kernel(resident, NULL);
}

void device_end(void)
{
    (void)host_in_kernel(end, NULL);
}
