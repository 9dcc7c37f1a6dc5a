/* A reference file tree: the rules of names and paths in the simplest way that says them, as manual
 * pages have them and kernel/fs/README.md has the order of checks.  Everything is an array. */
#pragma once

#include "fuzz.h"

#include <abi/errno.h>
#include <abi/linux_fs.h>

#define TREE_NODES_MAX  96
#define TREE_NAMES_MAX  128
#define TREE_PATH_BYTES (3 * PATH_BYTES)

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

/* Takes a name away. */
void tree_leave(struct tname *e);

/* Has the asker the rights?  want: 1 search, 2 write. */
bool tree_may(const struct tree *t, const struct tnode *n, unsigned want);

/* 0 or -errno, as the system calls. */
long tree_lookup(struct tree *t, const char *path, bool follow, struct tnode **out);

/* Steps of a walk: the object of this name, "." and ".." too; where the path ends; the object there
 * (*missing: everything is there but the very last component). */
bool tree_is_dots(const char *name);
long tree_look(struct tree *t, struct tnode *dir, const char *name, struct tnode **out);
long tree_place(struct tree *t, const char *path, struct tplace *p);
long tree_end(struct tree *t, const char *path, bool follow, struct tnode **out, bool *missing);

long tree_create(struct tree *t, const char *path, uint32_t mode, const char *target,
                 struct tnode **out);
long tree_open_new(struct tree *t, const char *path, uint32_t mode, struct tnode **out);
long tree_unlink(struct tree *t, const char *path);
long tree_rmdir(struct tree *t, const char *path);
long tree_link(struct tree *t, const char *from, const char *to);
long tree_rename(struct tree *t, const char *from, const char *to);

/* walk_paths.c: a path, of any kind; mostly one that is there, or (make) a new name. */
void take_path(struct input *in, const struct tree *t, bool make, char path[TREE_PATH_BYTES]);

/* ---- walk_kernel.c: the kernel's tree */

/* The calls are made by this user and group from now on. */
void kernel_user(uint32_t uid);
struct linux_stat kernel_stat(const char *path);

/* Is what lstat(2) said of `path` what the node says? */
void kernel_check(const char *path, const struct tnode *n, const struct linux_stat *st);

/* Takes what is there after the mount into the tree. */
void kernel_learn(struct tree *t);

/* All names, both ways.  Leaves root at "/". */
void kernel_compare(struct tree *t);
