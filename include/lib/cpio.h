/* Reader for newc cpio archives (the initramfs format; Linux
 * Documentation/driver-api/early-userspace/buffer-format). Walks memory in place, trusts nothing in
 * it, allocates nothing. */
#pragma once

#include <lib/util.h>

struct cpio_entry {
    const char
        *name; /* NUL-terminated, inside the archive; leading "./" and "/" skipped, "." is "" */
    const void *data;
    size_t size_bytes;
    uint32_t mode; /* st_mode: type and permission bits */
    uint32_t uid, gid;
    uint32_t mtime_s;
    uint32_t ino, nlink;
};

struct cpio_iter {
    const char *base;
    size_t size_bytes;
    size_t offset;
};

void cpio_begin(struct cpio_iter *it, const void *image, size_t size_bytes);

/* 1: *entry is the next member.  0: the trailer was reached.  -EINVAL: the archive is damaged or
 * cut at it->offset. */
int cpio_next(struct cpio_iter *it, struct cpio_entry *entry);
