/* A simulated process makes a call. */
#define _GNU_SOURCE
#include "run.h"

#include "../host/user.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>

#define TIMED_NS 1000000

static uintptr_t name_at(long name)
{
    return u_string(0, region_name(name));
}

static uintptr_t path_at(unsigned slot, long name)
{
    char path[64];
    snprintf(path, sizeof path, "/dev/shm/%s", region_name(name));
    return u_string(slot, path);
}

/* A struct timespec of a short time, or NULL. */
static uintptr_t short_time(bool timed)
{
    const int64_t rel[2] = {0, TIMED_NS};
    return timed ? u_put(2, rel, sizeof rel) : 0;
}

static long map_with(const long a[], long *addr)
{
    struct region_map how = {
        .flags = (uint32_t)a[1],
        .offset_bytes = (uint64_t)a[2],
        .length_bytes = (uint64_t)a[3],
        .addr = (uint64_t)a[4],
        .timeout_s = a[5] ? 0 : -1,
        .timeout_ns = TIMED_NS,
    };
    uintptr_t result = u_put(1, addr, sizeof *addr);
    long err =
        U_CALL(SHOAL_SYS_createMappingWith, name_at(a[0]), result, u_put(3, &how, sizeof how));
    u_get(result, addr, sizeof *addr);
    return err;
}

static long stat_region(const long a[], long out[])
{
    struct region_stat s = {0};
    long err = u_stat_region(region_name(a[0]), &s);
    if (err)
        return err;
    const long seen[OUTS] = {(long)s.size_bytes,
                             (long)s.resident_bytes,
                             s.mappings,
                             s.mode,
                             s.uid,
                             s.gid,
                             s.flags,
                             s.closing,
                             s.creator_pid,
                             s.lock_owner_tid,
                             s.lock_waiters};
    memcpy(out, seen, sizeof seen);
    return 0;
}

static long segment_call(const struct call *c, long out[])
{
    struct shmid_ds ds = {0};
    uintptr_t at = u_put(1, &ds, sizeof ds);
    if (c->op == SHMSET) {
        ds.shm_perm.uid = (uid_t)c->a[1];
        ds.shm_perm.mode = (unsigned short)c->a[2];
        return U_CALL(SYS_shmctl, (unsigned long)c->a[0], IPC_SET, u_put(1, &ds, sizeof ds));
    }
    long err = U_CALL(SYS_shmctl, (unsigned long)c->a[0], IPC_STAT, at);
    u_get(at, &ds, sizeof ds);
    const long seen[OUTS] = {ds.shm_perm.__key, ds.shm_perm.uid,    ds.shm_perm.gid,
                             ds.shm_perm.cuid,  ds.shm_perm.mode,   (long)ds.shm_segsz,
                             ds.shm_cpid,       (long)ds.shm_nattch};
    if (!err)
        memcpy(out, seen, sizeof seen);
    return err;
}

static long segments_info(long out[])
{
    struct shm_info info = {0};
    uintptr_t at = u_put(1, &info, sizeof info);
    long top = U_CALL(SYS_shmctl, 0, SHM_INFO, at);
    u_get(at, &info, sizeof info);
    out[0] = info.used_ids;
    out[1] = (long)info.shm_tot;
    out[2] = (long)info.shm_rss;
    return top;
}

struct dirent_head {
    uint64_t ino;
    int64_t next;
    uint16_t bytes;
    uint8_t type;
    char name[];
};

/* Entry by entry, with room for a few at a time. */
static long list_names(long out[])
{
    static const char room[200];
    long fd = U_CALL(SYS_open, u_string(0, "/dev/shm"), O_RDONLY | O_DIRECTORY), n = fd;
    char text[sizeof room];
    while (fd >= 0) {
        uintptr_t at = u_put(1, room, sizeof room);
        n = U_CALL(SYS_getdents64, (unsigned long)fd, at, sizeof room);
        u_get(at, text, sizeof text);
        if (n <= 0)
            break;
        for (long i = 0; i < n;) {
            const struct dirent_head *e = (const struct dirent_head *)(text + i);
            out[NAMES] += e->name[0] != '.';
            for (long name = 0; name < NAMES; name++)
                if (strcmp(e->name, region_name(name)) == 0)
                    out[name] = (long)e->ino;
            i += e->bytes;
        }
    }
    if (fd >= 0)
        U_EQ(U_CALL(SYS_close, (unsigned long)fd), 0);
    return n;
}

static long stat_file(long fd, long out[])
{
    struct stat st = {0};
    uintptr_t at = u_put(1, &st, sizeof st);
    long err = U_CALL(SYS_fstat, (unsigned long)fd, at);
    u_get(at, &st, sizeof st);
    const long seen[OUTS] = {st.st_size, st.st_mode & 07777, st.st_uid,
                             st.st_gid,  (long)st.st_nlink,  (long)st.st_ino};
    if (!err)
        memcpy(out, seen, sizeof seen);
    return err;
}

static long file_io(const struct call *c, long out[])
{
    uint32_t word = c->op == WRITE ? (uint32_t)c->a[3] : 0;
    uintptr_t at = u_put(1, &word, sizeof word);
    long n = U_CALL(c->op == WRITE ? SYS_pwrite64 : SYS_pread64, (unsigned long)c->a[0], at,
                    sizeof word, (unsigned long)c->a[1]);
    u_get(at, &word, sizeof word);
    if (c->op == READ && n > 0)
        out[0] = word;
    return n;
}

static long resident(const long a[], long out[])
{
    uint8_t vec[OUTS * 2] = {0};
    uintptr_t at = u_put(1, vec, sizeof vec);
    long err = U_CALL(SYS_mincore, (unsigned long)a[0], (unsigned long)a[1], at);
    u_get(at, vec, sizeof vec);
    for (long i = 0; !err && i < a[1] / PAGE && i < OUTS; i++)
        out[i] = vec[i];
    return err;
}

static long touch(const struct call *c, struct answer *answer)
{
    uint32_t word = (uint32_t)c->a[1];
    if (c->op == LOOK)
        return host_load((uintptr_t)c->a[0], answer->page, PAGE);
    if (c->op == STORE)
        return host_store((uintptr_t)c->a[0], &word, sizeof word);
    int sig = host_load((uintptr_t)c->a[0], &word, sizeof word);
    answer->out[0] = sig ? 0 : word;
    return sig;
}

/* Calls whose arguments are those of the system call. */
static long plain(const struct call *c)
{
    static const unsigned numbers[OP_COUNT] = {
        [XOPEN] = SHOAL_SYS_shm_open, [XCLOSE] = SHOAL_SYS_shm_close,
        [SHMEM] = SHOAL_SYS_shmem,    [SHMGET] = SYS_shmget,
        [SHMAT] = SYS_shmat,          [SHMDT] = SYS_shmdt,
        [CLOSE] = SYS_close,          [TRUNCATE] = SYS_ftruncate,
        [FCHMOD] = SYS_fchmod,        [MUNMAP] = SYS_munmap,
        [MPROTECT] = SYS_mprotect,    [MREMAP] = SYS_mremap,
        [MLOCK] = SYS_mlock,          [EXIT] = SYS_exit_group,
    };
    unsigned long a[ARGS];
    U_CHECK(numbers[c->op]);
    for (int i = 0; i < ARGS; i++)
        a[i] = (unsigned long)c->a[i];
    return host_syscall(numbers[c->op], a);
}

static long by_name(const struct call *c)
{
    const unsigned long b = (unsigned long)c->a[1], d = (unsigned long)c->a[2];
    uintptr_t name = name_at(c->a[0]);
    switch (c->op) {
    case CREATE:
        return U_CALL(SHOAL_SYS_createSharedRegion, name, b, d);
    case UNMAP:
        return U_CALL(SHOAL_SYS_destroyMapping, name, b);
    case DESTROY:
        return b == RS_WAIT && !d
                   ? U_CALL(SHOAL_SYS_destroySharedRegion, name)
                   : U_CALL(SHOAL_SYS_destroySharedRegionWith, name, b, short_time(d));
    case LOCK:
        return b ? U_CALL(SHOAL_SYS_lockRegionTimed, name, short_time(true))
                 : U_CALL(SHOAL_SYS_lockRegion, name);
    case TRYLOCK:
        return U_CALL(SHOAL_SYS_tryLockRegion, name);
    case UNLOCK:
        return U_CALL(SHOAL_SYS_unlockRegion, name);
    default:
        return U_CALL(SHOAL_SYS_chmodRegion, name, b);
    }
}

static long by_path(const struct call *c)
{
    switch (c->op) {
    case OPEN:
        return U_CALL(SYS_open, path_at(0, c->a[1]), (unsigned long)c->a[2],
                      (unsigned long)c->a[3]);
    case UNLINK:
        return U_CALL(SYS_unlink, path_at(0, c->a[0]));
    default:
        return U_CALL(c->op == LINK ? SYS_link : SYS_rename, path_at(0, c->a[0]),
                      path_at(1, c->a[1]));
    }
}

static long call(const struct call *c, struct answer *answer)
{
    const long *a = c->a;
    switch (c->op) {
    case MAP:
        return u_map(region_name(a[0]), (uintptr_t *)&answer->out[0]);
    case MAPWITH:
        return map_with(a, &answer->out[0]);
    case STAT:
        return stat_region(a, answer->out);
    case CREATE:
    case UNMAP ... UNLOCK:
    case CHMOD:
        return by_name(c);
    case SHMRM:
        return U_CALL(SYS_shmctl, (unsigned long)a[0], IPC_RMID);
    case SHMSTAT:
    case SHMSET:
        return segment_call(c, answer->out);
    case OPEN:
    case UNLINK ... RENAME:
        return by_path(c);
    case MEMFD:
        return U_CALL(SYS_memfd_create, u_string(0, "memory"), 0);
    case READ:
    case WRITE:
        return file_io(c, answer->out);
    case FSTAT:
        return stat_file(a[0], answer->out);
    case SHMLOCK:
        return U_CALL(SYS_shmctl, (unsigned long)a[0], (unsigned long)a[1]);
    case SHMINFO:
        return segments_info(answer->out);
    case LIST:
        return list_names(answer->out);
    case ALLOCATE:
        return U_CALL(SYS_fallocate, (unsigned long)a[0], 0, (unsigned long)a[1],
                      (unsigned long)a[3]);
    case FREE:
        return U_CALL(SYS_madvise, (unsigned long)a[0], (unsigned long)a[1], MADV_FREE);
    case MSYNC:
        return U_CALL(SYS_msync, (unsigned long)a[0], (unsigned long)a[1], MS_SYNC);
    case MMAP:
        return U_CALL(SYS_mmap, (unsigned long)a[0], (unsigned long)a[1], (unsigned long)a[2],
                      (unsigned long)a[3], (unsigned long)a[4],
                      (unsigned long)(a[5] & ~(PAGE - 1)));
    case DISCARD:
        return U_CALL(SYS_madvise, (unsigned long)a[0], (unsigned long)a[1], MADV_DONTNEED);
    case MINCORE:
        return resident(a, answer->out);
    case LOAD ... LOOK:
        return touch(c, answer);
    case EXEC:
        return u_exec("/bin/seat");
    case SETEUID:
        return U_CALL(SYS_setresuid, -1ul, (unsigned long)a[0], -1ul);
    default:
        return plain(c);
    }
}

/* What the call itself needs of user memory is there, so that only the kernel's
 * own allocations are left to fail: scratch memory, and the stack for the frame
 * of a signal. */
static void prepare(void)
{
    const uint8_t zero = 0;
    for (unsigned slot = 0; slot < U_SLOTS; slot++)
        u_put(slot, &zero, 1);
    for (uintptr_t below = 0; below < U_PAGE; below += U_PAGE / 2)
        U_EQ(host_store(host_stack_pointer() - below - sizeof zero, &zero, 1), 0);
}

void perform_begin(const struct call *c)
{
    if (!c->fails)
        return;
    prepare();
    U_EQ(U_CALL(SHOAL_SYS_failNth, c->fails, 0), 0);
}

void perform_end(const struct call *c, struct answer *answer)
{
    answer->failed = c->fails && U_CALL(SHOAL_SYS_failNth, 0, 0) == 0;
}

/* FORK is seat_fork's (seats.c). */
void perform(const struct call *c, struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    perform_begin(c);
    answer->ret = call(c, answer);
    perform_end(c, answer);
}
