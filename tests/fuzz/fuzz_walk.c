/* Paths: calls on names, one after the other, as the input says, over a root file system with /dev,
 * /dev/shm, /proc and /tmp; each result against the reference tree (tree.c), and at the end all
 * names. */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fs_support.h"
#include "../unit/host_support.h"

#define STEPS_MAX 100

static struct tree tree;

/* One step in some fails to allocate; then everything is as it was. */
static struct tree before;
static bool failing;

/* Is `got` what it must be?  What it must be, after a failed allocation, is just that. */
static bool same(long got, long *want)
{
    fs_fail_nth(0);
    if (failing && got == -ENOMEM) {
        tree = before;
        *want = got;
    }
    failing = false;
    return got == *want;
}

/* A new object: the kernel's number for it is news. */
static void learn_new(const char *path, struct tnode *n)
{
    uint32_t uid = tree.uid;
    kernel_user(0);
    struct linux_stat st = kernel_stat(path);
    kernel_user(uid);
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        CHECK(!tree.names[i].dir || tree.names[i].node->dev != st.st_dev ||
                  tree.names[i].node->ino != st.st_ino,
              "%s: number %lu is taken", path, (unsigned long)st.st_ino);
    n->ino = st.st_ino;
    kernel_check(path, n, &st);
}

static void step_stat(const char *path, bool follow)
{
    struct linux_stat st;
    struct tnode *n;
    long want = tree_lookup(&tree, path, follow, &n);
    long got = follow ? SYS(stat, ARG(path), ARG(&st)) : SYS(lstat, ARG(path), ARG(&st));
    CHECK(same(got, &want), "stat %d %s: %ld, not %ld", follow, path, got, want);
    if (want == 0)
        kernel_check(path, n, &st);
}

/* What is wrong with the text alone: it is copied in before anything is looked at. */
static long text_error(const char *path)
{
    return strlen(path) >= PATH_BYTES ? -ENAMETOOLONG : *path ? 0 : -ENOENT;
}

static void step_create(struct input *in, const char *path, const char *target)
{
    struct tnode *n = NULL;
    uint32_t mode = (uint32_t)take(in, 2) & 07777;
    long got, want;
    if (tree_full(&tree)) {
        fs_fail_nth(0);
        return;
    }
    switch (take_below(in, 3)) {
    case 0:
        want = tree_create(&tree, path, S_IFDIR | (mode & 01777 & ~022u), NULL, &n);
        got = SYS(mkdir, ARG(path), mode);
        break;
    case 1:
        want = text_error(target) == -ENAMETOOLONG ? -ENAMETOOLONG : text_error(path);
        if (want == 0)
            want = text_error(target);
        if (want == 0)
            want = tree_create(&tree, path, S_IFLNK | 0777, target, &n);
        got = SYS(symlink, ARG(target), ARG(path));
        break;
    default:
        want = tree_open_new(&tree, path, S_IFREG | (mode & ~022u), &n);
        got = SYS(open, ARG(path), O_CREAT | O_EXCL | O_WRONLY, mode);
        if (got >= 0)
            got = SYS(close, got);
    }
    CHECK(same(got, &want), "create %o %s: %ld, not %ld", mode, path, got, want);
    if (want == 0)
        learn_new(path, n);
}

static void step_chdir(const char *path)
{
    struct tnode *n;
    struct linux_stat st;
    long want = tree_lookup(&tree, path, true, &n);
    if (want == 0 && !S_ISDIR(n->mode))
        want = -ENOTDIR;
    if (want == 0 && !tree_may(&tree, n, 1))
        want = -EACCES;
    long got = SYS(chdir, ARG(path));
    CHECK(same(got, &want), "chdir %s: %ld, not %ld", path, got, want);
    if (want != 0)
        return;
    tree.cwd = n;
    CHECK(SYS(newfstatat, AT_FDCWD, ARG(""), ARG(&st), AT_EMPTY_PATH) == 0, "where");
    kernel_check("cwd", n, &st);
}

static void step_chmod(struct input *in, const char *path)
{
    struct tnode *n;
    uint32_t mode = (uint32_t)take(in, 2) & 07777;
    long want = tree_lookup(&tree, path, true, &n);
    if (want == 0 && (n->dev == TREE_PROC || (tree.uid != 0 && tree.uid != n->uid)))
        want = -EPERM;
    long got = SYS(chmod, ARG(path), mode);
    CHECK(same(got, &want), "chmod %s: %ld, not %ld", path, got, want);
    if (want == 0 && tree.uid != 0 && tree.uid != n->gid)
        mode &= ~(uint32_t)S_ISGID;
    if (want == 0)
        n->mode = (n->mode & S_IFMT) | mode;
}

static void step_readlink(const char *path)
{
    char *buf = malloc(PATH_BYTES);
    struct tnode *n;
    long want = tree_lookup(&tree, path, false, &n);
    if (want == 0)
        want = S_ISLNK(n->mode) ? (long)strlen(n->target) : -EINVAL;
    long got = SYS(readlink, ARG(path), ARG(buf), PATH_BYTES);
    CHECK(same(got, &want), "readlink %s: %ld, not %ld", path, got, want);
    CHECK(got <= 0 || memcmp(buf, n->target, (size_t)got) == 0, "%s: another target", path);
    free(buf);
}

static void step_getcwd(void)
{
    static char want[TREE_NAMES_MAX * (NAME_MAX + 1)], got[PATH_BYTES];
    char *p = want + sizeof(want) - 1;
    long want_n = 0;
    *p = '\0';
    const struct tnode *d = tree.cwd;
    for (; d && d != tree.root; d = d->parent)
        for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
            if (tree.names[i].dir && tree.names[i].node == d) {
                size_t n = strlen(tree.names[i].name);
                p -= n;
                memcpy(p, tree.names[i].name, n);
                *--p = '/';
            }
    if (!*p)
        *--p = '/';
    want_n = d ? (long)strlen(p) + 1 : -ENOENT;
    long got_n = SYS(getcwd, ARG(got), sizeof(got));
    if (want_n > PATH_BYTES || (want_n == -ENOENT && got_n == -ERANGE))
        want_n = -ERANGE;
    CHECK(same(got_n, &want_n), "getcwd: %ld, not %ld (%s)", got_n, want_n, p);
    CHECK(got_n < 0 || strcmp(got, p) == 0, "%s, not %s", got, p);
}

static void step_two_paths(struct input *in, const char *path, const char *other, unsigned what)
{
    long got, want;
    if (what == 0) {
        if (tree_full(&tree)) {
            fs_fail_nth(0);
            return;
        }
        want = tree_link(&tree, path, other);
        got = SYS(link, ARG(path), ARG(other));
    } else {
        want = text_error(path) ? text_error(path) : text_error(other);
        if (want == 0)
            want = tree_rename(&tree, path, other);
        got = SYS(rename, ARG(path), ARG(other));
    }
    CHECK(same(got, &want), "%s %s %s: %ld, not %ld", what == 0 ? "link" : "rename", path, other,
          got, want);
}

static void step_remove(const char *path, bool dir)
{
    long want = dir ? tree_rmdir(&tree, path) : tree_unlink(&tree, path);
    long got = dir ? SYS(rmdir, ARG(path)) : SYS(unlink, ARG(path));
    CHECK(same(got, &want), "remove %d %s: %ld, not %ld", dir, path, got, want);
}

static void take_step(struct input *in)
{
    static char path[TREE_PATH_BYTES], other[TREE_PATH_BYTES];
    unsigned what = take_below(in, 16);
    if (what == 15) {
        tree.uid = take_byte(in) & 1 ? 1000 : 0;
        kernel_user(tree.uid);
        return;
    }
    if (take_byte(in) % 8 == 7) {
        failing = true;
        before = tree;
        fs_fail_nth(1 + take_below(in, 8));
    }
    if (what == 14) {
        step_getcwd();
        return;
    }
    take_path(in, &tree, what < 6, path);
    if (what < 6 || what == 12 || what == 13)
        take_path(in, &tree, what >= 12, other);
    if (what < 6)
        step_create(in, path, other);
    else if (what < 8)
        step_stat(path, what == 6);
    else if (what == 8)
        step_chdir(path);
    else if (what == 9)
        step_chmod(in, path);
    else if (what == 10)
        step_readlink(path);
    else if (what == 11)
        step_remove(path, take_byte(in) & 1);
    else
        step_two_paths(in, path, other, what - 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    static bool ready;
    if (!ready)
        fs_memory_init();
    ready = true;
    host_console_clear();
    CHECK(fs_begin(NULL, 0) == 0, "no root");
    kernel_user(0);
    kernel_learn(&tree);
    for (unsigned i = 0; i < STEPS_MAX && input_left(&in) > 0; i++)
        take_step(&in);
    kernel_compare(&tree);
    fs_end();
    return 0;
}
