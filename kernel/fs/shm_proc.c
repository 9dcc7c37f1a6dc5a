/* /proc/regions: the table for people (A10). */
#include <kernel/fs/procfs.h>
#include <kernel/fs/shm.h>
#include <kernel/fs/textfile.h>
#include <lib/fmt.h>

static void print_region(const struct shm_info *info, void *arg)
{
    struct textbuf *b = arg;
    char creator[24] = "-", holder[24] = "-", key[TEXT_ESCAPED_BYTES(RS_NAME_MAX)] = "-";
    if (info->creator_pid)
        fmt_snprint(creator, sizeof creator, "%u", info->creator_pid);
    if (info->lock_owner_tid)
        fmt_snprint(holder, sizeof holder, "%u", info->lock_owner_tid);
    if (info->key[0])
        text_escape(key, info->key);
    const char *state = info->closing ? "closing" : info->named ? "active" : "unnamed";
    textbuf_print(b, "%-8s %-24s %6lu %12zu %8zu %8u %8s %-8s %5u %5u %04o %6u %6lu %8s %7u\n",
                  info->kind, key, info->id, info->size_bytes, info->resident_pages, info->mappings,
                  creator, state, info->uid, info->gid, info->mode, info->users, info->nfills,
                  holder, info->lock_waiters);
}

static void print_regions(struct textbuf *b)
{
    textbuf_print(b, "%-8s %-24s %6s %12s %8s %8s %8s %-8s %5s %5s %4s %6s %6s %8s %7s\n", "kind",
                  "key", "id", "size", "resident", "mappings", "creator", "state", "uid", "gid",
                  "mode", "users", "fills", "holder", "waiters");
    shm_for_each(print_region, b);
}

void shm_proc_init(void)
{
    procfs_add("regions", print_regions);
    procfs_add_in("sysvipc", "shm", shm_sysv_print);
    shm_sysv_init();
}
