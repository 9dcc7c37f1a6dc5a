/* Memory. */
#include <kernel/base/usercopy.h>
#include <kernel/fs/fdtable.h>
#include <kernel/fs/file.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

_Static_assert(PROT_READ == VP_READ && PROT_WRITE == VP_WRITE && PROT_EXEC == VP_EXEC,
               "mmap(2) and vpmap agree");
#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

static struct addrspace *current_as(void)
{
    return process_current()->as;
}

/* What a mapping is made of, kept until addrspace_map has counted it. */
struct source {
    struct file *file;          /* an unnamed region lives by it: somebody may close it meanwhile */
    struct memstore *anonymous; /* made for this mapping, with a use */
};

/* The store of a file mapping, with a reference, and what rights the mapping may have.  Whatever
 * it answers, source_done follows. */
static err_t file_mapping(int fd, struct map_request *req, struct source *from)
{
    from->file = fd_get(process_current()->fds, fd);
    if (!from->file)
        return -EBADF;
    err_t err = 0;
    req->store = file_store(from->file, &err);
    if (req->store && req->shared && !file_writable(from->file))
        req->max_prot &= ~VP_WRITE;
    return err;
}

static err_t parse_flags(unsigned long flags, struct map_request *req)
{
    unsigned long known = MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS |
                          MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED |
                          MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK;
    unsigned long type = flags & MAP_TYPE;
    if (type == MAP_SHARED_VALIDATE && (flags & ~known))
        return -EOPNOTSUPP;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (flags & MAP_HUGETLB)
        return -ENOMEM; /* no huge pages are set aside */
    req->shared = type != MAP_PRIVATE;
    if (flags & MAP_FIXED_NOREPLACE)
        req->place = MAP_AT_FREE;
    else if (flags & MAP_FIXED)
        req->place = MAP_AT;
    return 0;
}

/* Shared anonymous memory: a store of its own, promised unless the caller wants it otherwise (A7).
 */
static err_t anonymous_store(unsigned long flags, struct map_request *req, struct source *from)
{
    struct shm_caller who = shm_caller_current();

    req->store_page = 0; /* the offset says nothing */
    err_t err = shm_anon_create(&who, req->bytes, !(flags & MAP_NORESERVE), &from->anonymous);
    req->store = from->anonymous;
    return err;
}

/* The request has its mapping, or never will. */
static void source_done(const struct map_request *req, const struct source *from)
{
    if (from->anonymous)
        shm_anon_done(from->anonymous);
    else if (req->store)
        memstore_put(req->store);
    file_put(from->file);
}

/* mmap(addr, length, prot, flags, fd, offset) */
long sys_mmap(const unsigned long args[6])
{
    unsigned long flags = args[3], offset = args[5];
    struct map_request req = {
        .addr = args[0],
        .bytes = args[1],
        .place = MAP_ANYWHERE,
        .prot = (unsigned)args[2] & PROT_ALL,
        .max_prot = PROT_ALL,
        .store_page = offset >> PAGE_SHIFT,
    };
    struct source from = {0};
    err_t err = parse_flags(flags, &req);
    if (err)
        return err;
    if (!IS_ALIGNED(offset, PAGE_BYTES) || req.bytes == 0)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        if (offset + req.bytes < offset)
            return -EOVERFLOW;
        err = file_mapping((int)args[4], &req, &from);
    } else if (req.shared) {
        err = anonymous_store(flags, &req, &from);
    }
    uintptr_t addr;
    if (!err)
        err = addrspace_map(current_as(), &req, &addr);
    source_done(&req, &from);
    if (err)
        return err;
    if ((flags & (MAP_POPULATE | MAP_LOCKED)) && !(flags & MAP_NONBLOCK))
        addrspace_populate(current_as(), addr, ALIGN_UP(req.bytes, PAGE_BYTES), req.prot);
    return (long)addr;
}

long sys_munmap(const unsigned long args[6])
{
    return addrspace_unmap(current_as(), args[0], args[1]);
}

long sys_mprotect(const unsigned long args[6])
{
    unsigned long prot = args[2];
    if (!IS_ALIGNED(args[0], PAGE_BYTES) || (prot & ~(unsigned long)PROT_ALL))
        return -EINVAL;
    if (args[1] == 0)
        return 0;
    return addrspace_protect(current_as(), args[0], args[1], (unsigned)prot);
}

long sys_brk(const unsigned long args[6])
{
    return (long)addrspace_brk(current_as(), args[0]);
}
