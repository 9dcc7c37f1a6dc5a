/* Between shm_file.c (a context as a file) and shm_dir.c (the table as a directory). */
#pragma once

#include "shmms.h"

struct shm_file;

/* A file that shows nothing yet; NULL when out of memory. */
struct shm_file *shm_file_alloc(void);
void shm_file_free(struct shm_file *file);

/* The one file of the context, with a reference; takes over `spare`, and the caller's use of the
 * context.  T not held; may sleep. */
struct vnode *shm_file_show(struct smemcontext *ctx, struct shm_file *spare);

/* The context that a file shows; alive as long as the file. */
struct smemcontext *shm_file_context(struct vnode *v);
