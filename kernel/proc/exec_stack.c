/* The first stack of a program, and the strings that go on it. */
#include "exec.h"

#include <abi/linux.h>
#include <kernel/base/panic.h>
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <lib/hash.h>
#include <lib/string.h>

/* Words on their way to the stack, from low to high addresses. */
struct word_writer {
    struct addrspace *as;
    uintptr_t addr;
    unsigned n;
    uint64_t words[64];
    err_t err;
};

static void flush_words(struct word_writer *w)
{
    if (!w->err)
        w->err = addrspace_write(w->as, w->addr, w->words, w->n * sizeof w->words[0]);
    w->addr += w->n * sizeof w->words[0];
    w->n = 0;
}

static void put_word(struct word_writer *w, uint64_t word)
{
    if (w->n == ARRAY_LEN(w->words))
        flush_words(w);
    w->words[w->n++] = word;
}

static void put_aux(struct word_writer *w, uint64_t type, uint64_t value)
{
    put_word(w, type);
    put_word(w, value);
}

/* Pointers to `count` strings that stand end to end at user address `at`, then NULL.  Returns the
 * kernel's place after the last. */
static const char *put_pointers(struct word_writer *w, const char *s, uintptr_t *at, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(s) + 1;
        put_word(w, *at);
        *at += n;
        s += n;
    }
    put_word(w, 0);
    return s;
}

static void put_auxv(struct word_writer *w, const struct exec_start *start, uintptr_t random,
                     uintptr_t path)
{
    const struct cred *cred = process_cred();
    if (start->phdr) {
        put_aux(w, AT_PHDR, start->phdr);
        put_aux(w, AT_PHENT, sizeof(struct elf64_phdr));
        put_aux(w, AT_PHNUM, start->phnum);
    }
    put_aux(w, AT_PAGESZ, PAGE_BYTES);
    put_aux(w, AT_BASE, 0);
    put_aux(w, AT_FLAGS, 0);
    put_aux(w, AT_ENTRY, start->entry);
    put_aux(w, AT_UID, cred->uid);
    put_aux(w, AT_EUID, cred->euid);
    put_aux(w, AT_GID, cred->gid);
    put_aux(w, AT_EGID, cred->egid);
    put_aux(w, AT_SECURE, 0);
    put_aux(w, AT_CLKTCK, 100);
    put_aux(w, AT_RANDOM, random);
    put_aux(w, AT_EXECFN, path);
    put_aux(w, AT_NULL, 0);
}

#define AUX_WORDS    (2 * 16)
#define RANDOM_BYTES 16

/* From the top: the path, the strings, 16 random bytes, then argc, argv, envp and auxv with sp
 * 16-byte aligned. */
err_t exec_build_stack(struct addrspace *as, const struct exec_strings *strings, const char *path,
                       struct exec_start *start)
{
    size_t path_bytes = strlen(path) + 1;
    uintptr_t path_at = STACK_TOP - path_bytes;
    uintptr_t strings_at = path_at - strings->bytes;
    uintptr_t random_at = ALIGN_DOWN(strings_at, 16) - RANDOM_BYTES;
    size_t words = 1 + strings->argc + 1 + strings->envc + 1 + AUX_WORDS;
    uintptr_t sp = ALIGN_DOWN(random_at - words * sizeof(uint64_t), 16);

    uint64_t random[RANDOM_BYTES / sizeof(uint64_t)];
    random[0] = hash_bytes(HASH_SEED + arch_cycles(), &as->id, sizeof as->id);
    random[1] = hash_bytes(random[0] + arch_cycles(), &as->id, sizeof as->id);

    struct word_writer w = {.as = as, .addr = sp};
    uintptr_t at = strings_at;
    put_word(&w, strings->argc);
    const char *s = put_pointers(&w, strings->buf, &at, strings->argc);
    put_pointers(&w, s, &at, strings->envc);
    put_auxv(&w, start, random_at, path_at);
    flush_words(&w);
    ASSERT(w.addr <= random_at);

    err_t err = w.err;
    if (!err)
        err = addrspace_write(as, path_at, path, path_bytes);
    if (!err)
        err = addrspace_write(as, strings_at, strings->buf, strings->bytes);
    if (!err)
        err = addrspace_write(as, random_at, random, sizeof random);
    start->sp = sp;
    return err ? -ENOMEM : 0;
}

/* Makes room for at least one more byte, up to the limit. */
static err_t grow(struct exec_strings *s)
{
    size_t want = s->buf_bytes ? 2 * s->buf_bytes : PAGE_BYTES;
    if (want > EXEC_STRINGS_MAX)
        return -E2BIG;
    char *buf = kmem_alloc_bytes(want);
    if (!buf)
        return -ENOMEM;
    memcpy(buf, s->buf, s->bytes);
    exec_strings_free(s);
    s->buf = buf;
    s->buf_bytes = want;
    return 0;
}

void exec_strings_free(struct exec_strings *s)
{
    if (s->buf)
        kmem_free_bytes(s->buf, s->buf_bytes);
    s->buf = NULL;
    s->buf_bytes = 0;
}

/* Appends one string of user memory.  A string that changes while it is read ends where its NUL was
 * found. */
static err_t add_user_string(struct exec_strings *s, uintptr_t addr)
{
    for (;;) {
        size_t room = s->buf_bytes - s->bytes;
        long n = room ? copy_string_from_user(s->buf + s->bytes, addr, room) : -ENAMETOOLONG;
        if (n >= 0) {
            s->bytes += (size_t)n + 1;
            return 0;
        }
        if (n != -ENAMETOOLONG)
            return (err_t)n;
        err_t err = grow(s);
        if (err)
            return err;
    }
}

/* Appends the strings of a NULL-terminated array of user memory; a NULL array is empty (execve(2),
 * Linux). */
static err_t add_user_array(struct exec_strings *s, uintptr_t array, unsigned *count)
{
    *count = 0;
    if (!array)
        return 0;
    for (;; array += sizeof(uint64_t)) {
        uint64_t addr;
        if (copy_from_user(&addr, array, sizeof addr))
            return -EFAULT;
        if (!addr)
            return 0;
        err_t err = add_user_string(s, addr);
        if (err)
            return err;
        ++*count;
    }
}

err_t exec_strings_from_user(struct exec_strings *s, uintptr_t argv, uintptr_t envp)
{
    *s = (struct exec_strings){0};
    err_t err = add_user_array(s, argv, &s->argc);
    if (!err && s->argc == 0) { /* a program may rely on argv[0]: Linux gives it "" */
        err = s->buf_bytes ? 0 : grow(s);
        if (!err) {
            s->buf[s->bytes++] = '\0';
            s->argc = 1;
        }
    }
    if (!err)
        err = add_user_array(s, envp, &s->envc);
    if (err)
        exec_strings_free(s);
    return err;
}

static err_t add_kernel_array(struct exec_strings *s, const char *const *array, unsigned *count)
{
    for (*count = 0; array[*count]; ++*count) {
        size_t n = strlen(array[*count]) + 1;
        while (s->buf_bytes - s->bytes < n) {
            err_t err = grow(s);
            if (err)
                return err;
        }
        memcpy(s->buf + s->bytes, array[*count], n);
        s->bytes += n;
    }
    return 0;
}

err_t exec_strings_from_kernel(struct exec_strings *s, const char *const *argv,
                               const char *const *envp)
{
    *s = (struct exec_strings){0};
    err_t err = add_kernel_array(s, argv, &s->argc);
    if (!err)
        err = add_kernel_array(s, envp, &s->envc);
    if (err)
        exec_strings_free(s);
    return err;
}
