/* execve(2): a new address space is built beside the old one; only when it is whole does the
 * process step over. */
#include <kernel/base/context.h>
#include <kernel/proc/exec.h>

#include "exec.h"
#include "proc.h"

#include <kernel/fs/fdtable.h>
#include <kernel/fs/file.h>
#include <kernel/fs/path.h>
#include <kernel/fs/vnode.h>
#include <lib/string.h>

/* Where position-independent programs go: Linux's choice, two thirds up the user half. */
#define PIE_BASE ((uintptr_t)0x555555554000)

/* Too large for a kernel stack. */
struct program {
    struct elf_image image;
    struct elf64_phdr phdrs[ELF_PHDRS_MAX]; /* as the file has them */
};

static err_t open_program(const char *path, struct file **file)
{
    struct process *proc = process_current();
    struct vnode *cwd = process_cwd(proc);
    struct path_at at = {.base = cwd, .path = path, .cred = process_cred()};
    err_t err = file_open_exec(&at, file);
    vnode_put(cwd);
    return err;
}

/* Reads and checks the headers.  -ENOEXEC for anything that is not a program for this kernel. */
static err_t read_headers(struct file *file, struct program *prog)
{
    struct elf64_header hdr;
    uint64_t file_bytes = __atomic_load_n(&file->vnode->size_bytes, __ATOMIC_RELAXED);
    if (file_bytes < sizeof hdr)
        return -ENOEXEC;
    err_t err = file_read_kernel(file, 0, &hdr, sizeof hdr);
    if (!err)
        err = elf_check_header(&hdr, file_bytes);
    if (!err)
        err = file_read_kernel(file, hdr.phoff, prog->phdrs, hdr.phnum * sizeof prog->phdrs[0]);
    if (!err)
        err = elf_check_segments(&hdr, prog->phdrs, file_bytes, MMAP_TOP / 2, PAGE_BYTES,
                                 &prog->image);
    return err == -EIO ? -ENOEXEC : err;
}

static unsigned segment_prot(const struct elf64_phdr *ph)
{
    return (ph->flags & ELF_PF_R ? VP_READ : 0) | (ph->flags & ELF_PF_W ? VP_WRITE : 0) |
           (ph->flags & ELF_PF_X ? VP_EXEC : 0);
}

static err_t map_anonymous(struct addrspace *as, uintptr_t beg, size_t bytes, unsigned prot,
                           bool stack)
{
    struct map_request req = {
        .addr = beg,
        .bytes = bytes,
        .place = MAP_AT_FREE,
        .prot = prot,
        .max_prot = VP_READ | VP_WRITE | VP_EXEC,
        .stack = stack,
    };
    uintptr_t addr;
    return addrspace_map(as, &req, &addr);
}

/* The pages of a segment that have bytes in the file: a private mapping of it. */
static err_t map_file_part(struct addrspace *as, struct memstore *store,
                           const struct elf64_phdr *ph, uintptr_t beg, uintptr_t end)
{
    struct map_request req = {
        .addr = beg,
        .bytes = end - beg,
        .place = MAP_AT_FREE,
        .prot = segment_prot(ph),
        .max_prot = VP_READ | VP_WRITE | VP_EXEC,
        .store = store,
        .store_page = ph->offset >> PAGE_SHIFT,
    };
    uintptr_t addr;
    return addrspace_map(as, &req, &addr);
}

/* Bytes of the last file page that are not the segment's must read as zero when the program may
 * write there (.bss). */
static err_t zero_tail(struct addrspace *as, const struct elf64_phdr *ph, uintptr_t file_end)
{
    if (ph->memsz == ph->filesz || !(ph->flags & ELF_PF_W) || IS_ALIGNED(file_end, PAGE_BYTES))
        return 0;
    err_t err = addrspace_zero(as, file_end, ALIGN_UP(file_end, PAGE_BYTES) - file_end);
    return err ? -ENOMEM : 0;
}

static err_t map_segment(struct addrspace *as, struct memstore *store, const struct elf64_phdr *ph,
                         uintptr_t bias)
{
    uintptr_t beg = ALIGN_DOWN(ph->vaddr + bias, PAGE_BYTES);
    uintptr_t file_end = ph->vaddr + bias + ph->filesz;
    uintptr_t end = ALIGN_UP(ph->vaddr + bias + ph->memsz, PAGE_BYTES);
    uintptr_t zero_beg = ph->filesz ? ALIGN_UP(file_end, PAGE_BYTES) : beg;
    err_t err = 0;
    if (ph->filesz) {
        err = map_file_part(as, store, ph, beg, zero_beg);
        if (!err)
            err = zero_tail(as, ph, file_end);
    }
    if (!err && end > zero_beg)
        err = map_anonymous(as, zero_beg, end - zero_beg, segment_prot(ph), false);
    return err;
}

/* Fills an empty address space with the program and its stack.  *sp gets the first stack pointer.
 */
static err_t build(struct addrspace *as, struct file *file, const struct elf_image *image,
                   const struct exec_strings *strings, const char *path, struct exec_start *start)
{
    err_t err;
    uintptr_t bias = image->position_free ? PIE_BASE - image->vaddr_beg : 0;
    struct memstore *store = file_store(file, &err);
    if (!store)
        return err;
    err = 0;
    for (unsigned i = 0; i < image->nloads && !err; i++)
        err = map_segment(as, store, &image->loads[i], bias);
    memstore_put(store);
    if (!err)
        err = map_anonymous(as, STACK_TOP - STACK_MAX_BYTES, STACK_MAX_BYTES, VP_READ | VP_WRITE,
                            true);
    if (err)
        return err;
    addrspace_set_brk(as, ALIGN_UP(image->vaddr_end + bias, PAGE_BYTES));
    start->entry = image->entry + bias;
    start->phdr = image->phdr_vaddr ? image->phdr_vaddr + bias : 0;
    start->phnum = image->phnum;
    return exec_build_stack(as, strings, path, start);
}

/* A table of the process's own when another process shares its descriptors (CLONE_FILES): those go
 * on as they are.  Only now, that the process is alone, can nobody begin to share them, and nobody
 * but the other process changes them.  Takes over `spare`. */
static void leave_fdtable(struct process *proc, struct fdtable *spare)
{
    struct fdtable *old = proc->fds;
    bool shared = ref_read(&old->refs) > 1;
    ASSERT(spare || !shared);
    if (shared) {
        fdtable_fill(spare, old);
        proc->fds = spare;
    }
    if (spare)
        fdtable_put(shared ? old : spare);
}

/* What the parent sees of it: before a vfork parent goes on. */
static void become_program(struct process *proc)
{
    spin_lock(&proctable_lock);
    proc->has_execed = true;
    proc->exit_signal = SIGCHLD;
    spin_unlock(&proctable_lock);
}

/* Nothing here can fail.  Takes over `as` and `spare` (spare_fdtable). */
static void step_over(struct addrspace *as, struct fdtable *spare, const struct exec_start *start,
                      const char *path)
{
    struct uthread *ut = uthread_current();
    struct process *proc = ut->proc;
    struct addrspace *old = proc->as;
    leave_fdtable(proc, spare); /* as long as a vfork parent waits, which may share it */
    uthread_leave_memory(ut);
    uthread_take_pid(ut); /* after that: robust locks have the old number */
    spin_lock(&proc->siglock);
    proc->as = as;
    spin_unlock(&proc->siglock);
    bool irq = irq_save();
    ut->thread.vpmap = &as->vpmap;
    vpmap_activate(&as->vpmap);
    irq_restore(irq);
    addrspace_put(old);
    become_program(proc);
    process_vfork_done(proc);
    fdtable_close_on_exec(proc->fds);
    signal_exec(proc);
    process_cred_exec();
    ut->altstack = (struct linux_stack){0};
    const char *base = path;
    for (const char *p = path; *p; p++)
        if (*p == '/')
            base = p + 1;
    spin_lock(&proc->siglock);
    str_copy(proc->name, base, sizeof proc->name);
    spin_unlock(&proc->siglock);
    str_copy(ut->thread.name, base, sizeof ut->thread.name);
    arch_uregs_exec(&ut->thread.arch, start->entry, start->sp);
}

/* Room for a table of its own, if the process may need one when it is alone: another process shares
 * its descriptors, or a thread may yet make one that does.  -ENOMEM. */
static err_t spare_fdtable(struct fdtable **out)
{
    if (!process_has_other_threads() && ref_read(&process_current()->fds->refs) == 1)
        return 0;
    *out = fdtable_create_full();
    return *out ? 0 : -ENOMEM;
}

static err_t exec_file(struct file *file, const char *path, const struct exec_strings *strings)
{
    struct program *prog = kmem_alloc_bytes(sizeof *prog);
    if (!prog)
        return -ENOMEM;
    struct addrspace *as = NULL;
    struct fdtable *spare = NULL;
    struct exec_start start;
    err_t err = read_headers(file, prog);
    if (!err && !(as = addrspace_create()))
        err = -ENOMEM;
    if (!err)
        err = build(as, file, &prog->image, strings, path, &start);
    kmem_free_bytes(prog, sizeof *prog);
    if (!err)
        err = spare_fdtable(&spare);
    if (!err)
        err = process_become_sole();
    if (!err) {
        step_over(as, spare, &start, path);
        return 0;
    }
    if (spare)
        fdtable_put(spare);
    if (as)
        addrspace_put(as);
    return err;
}

err_t exec_current(const char *path, struct exec_strings *strings)
{
    struct file *file;
    err_t err = open_program(path, &file);
    if (!err) {
        err = exec_file(file, path, strings);
        file_put(file);
    }
    exec_strings_free(strings);
    return err;
}
