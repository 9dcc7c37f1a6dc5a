/* Pipes. */
#pragma once

#include <kernel/fs/file.h>

#define PIPE_BYTES ((size_t)65536)

/* A new pipe, which belongs to `cred`, and its two ends; `flags` of O_NONBLOCK.  -ENOMEM.
 * A write without readers is -EPIPE, or what it wrote before the last one went; either way it sets
 * iobuf.broken: raising SIGPIPE is up to the caller. */
err_t pipe_create(const struct cred *cred, unsigned flags, struct file **read_end,
                  struct file **write_end);
