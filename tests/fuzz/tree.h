/* A reference file tree: the rules of names and paths in the simplest way that says them, as manual
 * pages have them and kernel/fs/README.md has the order of checks.  Everything is an array. */
#pragma once

#include "fuzz.h"

#include <abi/errno.h>
#include <abi/linux_fs.h>

#define TREE_NODES_MAX 96
#define TREE_NAMES_MAX 128

struct tnode {
    uint32_t mode, uid, gid;
    uint64_t dev, ino;
    struct tnode *parent; /* of a directory; NULL: removed */
    unsigned nlink;       /* names, but for a directory that is there: 2 and more */
    char target[PATH_BYTES];
};

struct tname {
    struct tnode *dir; /* NULL: free */
    struct tnode *node;
    char name[NAME_MAX + 1];
};

struct tree {
    struct tnode nodes[TREE_NODES_MAX];
    struct tname names[TREE_NAMES_MAX];
    unsigned nnodes;
    struct tnode *root, *cwd;
    uint32_t uid; /* who asks; its group has the same number */
};

/* File systems as st_dev has them. */
enum tree_dev {
    TREE_RAM = 1,
    TREE_PROC,
    TREE_SHM,
};

/* Where a path ends. */
struct tplace {
    struct tnode *dir; /* which has, or would have, */
    char name[NAME_MAX + 1];
    bool slash; /* there was a '/' behind it */
};

struct tnode *tree_new(struct tree *t, uint32_t mode, uint64_t dev);
void tree_enter(struct tree *t, struct tnode *dir, const char *name, struct tnode *node);
bool tree_full(const struct tree *t);

/* The entry, or NULL. */
struct tname *tree_entry(struct tree *t, const struct tnode *dir, const char *name);
unsigned tree_entries(const struct tree *t, const struct tnode *dir);

/* Has the asker the rights?  want: 1 search, 2 write. */
bool tree_may(const struct tree *t, const struct tnode *n, unsigned want);

/* 0 or -errno, as the system calls. */
long tree_lookup(struct tree *t, const char *path, bool follow, struct tnode **out);
long tree_create(struct tree *t, const char *path, uint32_t mode, const char *target,
                 struct tnode **out);
long tree_open_new(struct tree *t, const char *path, uint32_t mode, struct tnode **out);
long tree_unlink(struct tree *t, const char *path);
long tree_rmdir(struct tree *t, const char *path);
long tree_link(struct tree *t, const char *from, const char *to);
long tree_rename(struct tree *t, const char *from, const char *to);
