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

/* ---- what the kernel has */

struct listing {
    char names[TREE_NAMES_MAX][NAME_MAX + 1];
    unsigned n;
};

static void list_dir(const char *path, struct listing *l)
{
    static char buf[65536];
    long n, fd = SYS(open, ARG(path), O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0, "%s: %ld", path, fd);
    l->n = 0;
    while ((n = SYS(getdents64, fd, ARG(buf), sizeof(buf))) > 0)
        for (long at = 0; at < n;) {
            uint16_t bytes;
            const char *name = buf + at + 19;
            memcpy(&bytes, buf + at + 16, sizeof(bytes));
            CHECK(l->n < TREE_NAMES_MAX, "%s: too many", path);
            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
                snprintf(l->names[l->n++], NAME_MAX + 1, "%s", name);
            at += bytes;
        }
    CHECK(n == 0 && SYS(close, fd) == 0, "%s: %ld", path, n);
}

static struct linux_stat stat_of(const char *path)
{
    struct linux_stat st;
    long err = SYS(lstat, ARG(path), ARG(&st));
    CHECK(err == 0, "%s: %ld", path, err);
    return st;
}

static void check_stat(const char *path, const struct tnode *n, const struct linux_stat *st)
{
    CHECK(st->st_ino == n->ino && st->st_dev == n->dev, "%s: another object", path);
    CHECK(st->st_mode == n->mode, "%s: mode %o, not %o", path, st->st_mode, n->mode);
    CHECK(st->st_uid == n->uid && st->st_gid == n->gid, "%s: owner", path);
    if (!S_ISDIR(n->mode))
        CHECK(st->st_nlink == n->nlink, "%s: %lu links, not %u", path, (unsigned long)st->st_nlink,
              n->nlink);
}

static void as_user(uint32_t uid)
{
    struct cred *cred = fs_cred();
    cred->uid = cred->euid = uid;
    cred->gid = cred->egid = uid;
}

/* Takes what is there after the mount into the tree. */
static void learn_dir(const char *path, struct tnode *dir)
{
    struct listing *l = malloc(sizeof(*l));
    char *child = malloc(PATH_BYTES);
    list_dir(*path ? path : "/", l);
    for (unsigned i = 0; i < l->n; i++) {
        snprintf(child, PATH_BYTES, "%s/%s", path, l->names[i]);
        struct linux_stat st = stat_of(child);
        struct tnode *n = tree_new(&tree, st.st_mode, st.st_dev);
        n->ino = st.st_ino;
        tree_enter(&tree, dir, l->names[i], n);
        if (S_ISDIR(st.st_mode))
            learn_dir(child, n);
    }
    free(child);
    free(l);
}

static void learn_tree(void)
{
    memset(tree.names, 0, sizeof(tree.names));
    tree.nnodes = tree.uid = 0;
    struct linux_stat st = stat_of("/");
    tree.root = tree.cwd = tree_new(&tree, st.st_mode, st.st_dev);
    tree.root->ino = st.st_ino;
    tree.root->parent = tree.root;
    learn_dir("", tree.root);
}

/* All names, both ways.  It goes from directory to directory: paths may be too long. */
static void compare_dir(struct tnode *dir)
{
    struct listing *l = malloc(sizeof(*l));
    list_dir(".", l);
    CHECK(l->n == tree_entries(&tree, dir), "%u names, not %u", l->n, tree_entries(&tree, dir));
    for (unsigned i = 0; i < l->n; i++) {
        struct tname *e = tree_entry(&tree, dir, l->names[i]);
        CHECK(e, "%s should not be there", l->names[i]);
        struct linux_stat st = stat_of(l->names[i]);
        check_stat(l->names[i], e->node, &st);
        if (!S_ISDIR(e->node->mode))
            continue;
        CHECK(SYS(chdir, ARG(l->names[i])) == 0, "%s", l->names[i]);
        compare_dir(e->node);
        CHECK(SYS(chdir, ARG("..")) == 0, "the way back from %s", l->names[i]);
    }
    free(l);
}

static void compare_tree(void)
{
    as_user(0);
    CHECK(SYS(chdir, ARG("/")) == 0, "/");
    compare_dir(tree.root);
}

/* ---- paths */

static size_t take_component(struct input *in, char *to)
{
    static const char *const names[] = {"a",    "b",   "c",  "a",  "b",   "d",      "l",    "m",
                                        "..",   ".",   "..", "..", "dev", "shm",    "null", "tmp",
                                        "proc", "shm", "e",  ".",  "dev", "meminfo"};
    static const uint8_t lengths[] = {126, 127, 128, 254, 255};
    unsigned i = take_byte(in) % 32;
    if (i < ARRAY_LEN(names))
        return (size_t)sprintf(to, "%s", names[i]);
    if (i == 30 || i == 31) {
        size_t n = i == 30 ? 256 : lengths[take_below(in, ARRAY_LEN(lengths))];
        memset(to, 'n', n);
        return n;
    }
    size_t n;
    const uint8_t *raw = take_bytes(in, i % 4 + 1, &n);
    for (size_t k = 0; k < n; k++)
        to[k] = raw[k] ? (char)raw[k] : '/';
    return n;
}

/* At most 2 * PATH_BYTES, of which most are short. */
static void take_path(struct input *in, char *path)
{
    uint8_t shape = take_byte(in);
    unsigned times = shape >= 0xf0 ? 1 + take_byte(in) * 8u : 1;
    size_t n = 0;
    if (shape & 1)
        path[n++] = '/';
    size_t beg = n;
    for (unsigned i = 0; i <= (shape >> 1) % 8u; i++) {
        if (i > 0)
            path[n++] = '/';
        n += take_component(in, path + n);
    }
    /* Over and over again, up to the limits. */
    size_t piece = n - beg;
    for (; times > 1 && n + piece + 1 < PATH_BYTES + 64; times--) {
        path[n++] = '/';
        memmove(path + n, path + beg, piece);
        n += piece;
    }
    if (shape & 16)
        path[n++] = '/';
    if (shape & 32 && shape & 64 && take_byte(in) == 0)
        n = 0; /* the empty path */
    path[n] = '\0';
}

/* ---- steps */

/* A new object: the kernel's number for it is news. */
static void learn_new(const char *path, struct tnode *n)
{
    uint32_t uid = tree.uid;
    as_user(0);
    struct linux_stat st = stat_of(path);
    as_user(uid);
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        CHECK(!tree.names[i].dir || tree.names[i].node->dev != st.st_dev ||
                  tree.names[i].node->ino != st.st_ino,
              "%s: number %lu is taken", path, (unsigned long)st.st_ino);
    n->ino = st.st_ino;
    check_stat(path, n, &st);
}

static void step_stat(const char *path, bool follow)
{
    struct linux_stat st;
    struct tnode *n;
    long want = tree_lookup(&tree, path, follow, &n);
    long got = follow ? SYS(stat, ARG(path), ARG(&st)) : SYS(lstat, ARG(path), ARG(&st));
    CHECK(got == want, "stat %d %s: %ld, not %ld", follow, path, got, want);
    if (want == 0)
        check_stat(path, n, &st);
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
    if (tree_full(&tree))
        return;
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
    CHECK(got == want, "create %o %s: %ld, not %ld", mode, path, got, want);
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
    CHECK(got == want, "chdir %s: %ld, not %ld", path, got, want);
    if (want != 0)
        return;
    tree.cwd = n;
    CHECK(SYS(newfstatat, AT_FDCWD, ARG(""), ARG(&st), AT_EMPTY_PATH) == 0, "where");
    check_stat("cwd", n, &st);
}

static void step_chmod(struct input *in, const char *path)
{
    struct tnode *n;
    uint32_t mode = (uint32_t)take(in, 2) & 07777;
    long want = tree_lookup(&tree, path, true, &n);
    if (want == 0 && (n->dev == TREE_PROC || (tree.uid != 0 && tree.uid != n->uid)))
        want = -EPERM;
    long got = SYS(chmod, ARG(path), mode);
    CHECK(got == want, "chmod %s: %ld, not %ld", path, got, want);
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
    CHECK(got == want, "readlink %s: %ld, not %ld", path, got, want);
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
    CHECK(got_n == want_n, "getcwd: %ld, not %ld (%s)", got_n, want_n, p);
    CHECK(got_n < 0 || strcmp(got, p) == 0, "%s, not %s", got, p);
}

static void step_two_paths(struct input *in, const char *path, const char *other, unsigned what)
{
    long got, want;
    if (what == 0) {
        if (tree_full(&tree))
            return;
        want = tree_link(&tree, path, other);
        got = SYS(link, ARG(path), ARG(other));
    } else {
        want = text_error(path) ? text_error(path) : text_error(other);
        if (want == 0)
            want = tree_rename(&tree, path, other);
        got = SYS(rename, ARG(path), ARG(other));
    }
    CHECK(got == want, "%s %s %s: %ld, not %ld", what == 0 ? "link" : "rename", path, other, got,
          want);
}

static void step_remove(const char *path, bool dir)
{
    long want = dir ? tree_rmdir(&tree, path) : tree_unlink(&tree, path);
    long got = dir ? SYS(rmdir, ARG(path)) : SYS(unlink, ARG(path));
    CHECK(got == want, "remove %d %s: %ld, not %ld", dir, path, got, want);
}

static void take_step(struct input *in)
{
    static char path[3 * PATH_BYTES], other[3 * PATH_BYTES];
    unsigned what = take_below(in, 16);
    if (what == 15) {
        tree.uid = take_byte(in) % 4 == 0 ? 1000 : 0;
        as_user(tree.uid);
        return;
    }
    if (what == 14) {
        step_getcwd();
        return;
    }
    take_path(in, path);
    if (what < 6 || what == 12 || what == 13)
        take_path(in, other);
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
    as_user(0);
    learn_tree();
    for (unsigned i = 0; i < STEPS_MAX && input_left(&in) > 0; i++)
        take_step(&in);
    compare_tree();
    fs_end();
    return 0;
}
