/* /proc/regions: the table for people (A10). */
#include <kernel/fs/procfs.h>
#include <kernel/fs/shm.h>
#include <kernel/fs/textfile.h>
#include <lib/fmt.h>

static void print_region(const struct shm_info *info, void *arg)
{
    struct textbuf *b = arg;
    char owner[24] = "-", lock[24] = "-";
    if (info->creator_pid)
        fmt_snprint(owner, sizeof owner, "%u", info->creator_pid);
    if (info->lock_owner_tid)
        fmt_snprint(lock, sizeof lock, "%u", info->lock_owner_tid);
    textbuf_print(b, "%-8s %-24s %6lu %12zu %8zu %8u %8s %-8s %8s %7u\n", info->kind, info->key,
                  info->id, info->size_bytes, info->resident_pages, info->mappings, owner,
                  info->closing ? "closing" : "active", lock, info->lock_waiters);
}

static void print_regions(struct textbuf *b)
{
    textbuf_print(b, "%-8s %-24s %6s %12s %8s %8s %8s %-8s %8s %7s\n", "kind", "key", "id", "size",
                  "resident", "mappings", "creator", "state", "holder", "waiters");
    shm_for_each(print_region, b);
}

void shm_proc_init(void)
{
    procfs_add("regions", print_regions);
}
