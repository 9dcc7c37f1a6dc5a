/* The kernel's file tree, looked at through the system calls: into a reference tree, and against
 * one. */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fs_support.h"

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

struct linux_stat kernel_stat(const char *path)
{
    struct linux_stat st;
    long err = SYS(lstat, ARG(path), ARG(&st));
    CHECK(err == 0, "%s: %ld", path, err);
    return st;
}

void kernel_check(const char *path, const struct tnode *n, const struct linux_stat *st)
{
    CHECK(st->st_ino == n->ino && st->st_dev == n->dev, "%s: another object", path);
    CHECK(st->st_mode == n->mode, "%s: mode %o, not %o", path, st->st_mode, n->mode);
    CHECK(st->st_uid == n->uid && st->st_gid == n->gid, "%s: owner", path);
    if (!S_ISDIR(n->mode))
        CHECK(st->st_nlink == n->nlink, "%s: %lu links, not %u", path, (unsigned long)st->st_nlink,
              n->nlink);
}

void kernel_user(uint32_t uid)
{
    struct cred *cred = fs_cred();
    cred->uid = cred->euid = uid;
    cred->gid = cred->egid = uid;
}

/* Takes what is there after the mount into the t-> */
static void learn_dir(struct tree *t, const char *path, struct tnode *dir)
{
    struct listing *l = malloc(sizeof(*l));
    char *child = malloc(PATH_BYTES);
    list_dir(*path ? path : "/", l);
    for (unsigned i = 0; i < l->n; i++) {
        snprintf(child, PATH_BYTES, "%s/%s", path, l->names[i]);
        struct linux_stat st = kernel_stat(child);
        struct tnode *n = tree_new(t, st.st_mode, st.st_dev);
        n->ino = st.st_ino;
        tree_enter(t, dir, l->names[i], n);
        if (S_ISDIR(st.st_mode))
            learn_dir(t, child, n);
    }
    free(child);
    free(l);
}

void kernel_learn(struct tree *t)
{
    memset(t->names, 0, sizeof(t->names));
    t->nnodes = t->uid = 0;
    struct linux_stat st = kernel_stat("/");
    t->root = t->cwd = tree_new(t, st.st_mode, st.st_dev);
    t->root->ino = st.st_ino;
    t->root->parent = t->root;
    learn_dir(t, "", t->root);
}

/* All names, both ways.  It goes from directory to directory: paths may be too long. */
static void compare_dir(struct tree *t, struct tnode *dir)
{
    struct listing *l = malloc(sizeof(*l));
    list_dir(".", l);
    CHECK(l->n == tree_entries(t, dir), "%u names, not %u", l->n, tree_entries(t, dir));
    for (unsigned i = 0; i < l->n; i++) {
        struct tname *e = tree_entry(t, dir, l->names[i]);
        CHECK(e, "%s should not be there", l->names[i]);
        struct linux_stat st = kernel_stat(l->names[i]);
        kernel_check(l->names[i], e->node, &st);
        if (!S_ISDIR(e->node->mode))
            continue;
        CHECK(SYS(chdir, ARG(l->names[i])) == 0, "%s", l->names[i]);
        compare_dir(t, e->node);
        CHECK(SYS(chdir, ARG("..")) == 0, "the way back from %s", l->names[i]);
    }
    free(l);
}

void kernel_compare(struct tree *t)
{
    kernel_user(0);
    CHECK(SYS(chdir, ARG("/")) == 0, "/");
    compare_dir(t, t->root);
}
