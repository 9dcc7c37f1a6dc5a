/* Inside of paths, for path.c and open.c: one walk along a path, all of it under the tree lock. */
#pragma once

#include <kernel/fs/path.h>

struct walk {
    const struct cred *cred;
    struct vnode *dir;       /* a reference: the directory that holds `last` */
    const char *rest;        /* of the path */
    char *buf;               /* where `rest` is once a link was followed */
    unsigned links;          /* followed so far */
    bool slash;              /* the path ends in '/': it must be a directory */
    bool missing;            /* walk_last found everything but `last` itself */
    char last[NAME_MAX + 1]; /* the last component; "." for "/" */
};

/* Begins a walk and goes up to the last component.  On success, or failure, end with walk_end. */
err_t walk_parent(struct walk *w, const struct path_at *at) REQUIRES(names_lock);

/* The object at the end, with a reference; links are followed if asked, or if the path goes on
 * behind with '/'. -ENOENT with w->missing: w->dir and w->last say where it would be. */
err_t walk_last(struct walk *w, bool follow, struct vnode **out) REQUIRES(names_lock);
void walk_end(struct walk *w);

/* "." or ".." */
bool walk_last_is_dots(const struct walk *w);

/* May a name be made in, or (child) taken out of, w->dir? -ENOENT: the directory was removed;
 * -EACCES; -EPERM. */
err_t walk_may_create(const struct walk *w) REQUIRES(names_lock);
err_t walk_may_remove(const struct walk *w, const struct vnode *child) REQUIRES(names_lock);

/* Makes `last`, owned by the asker.  The name is free; checks rights.  *out has a reference. */
err_t walk_create(struct walk *w, uint32_t mode, const char *target, struct vnode **out)
    REQUIRES(names_lock);
