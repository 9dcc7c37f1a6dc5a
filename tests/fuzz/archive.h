/* A cpio archive built from an input, and what is in it. */
#pragma once

#include "fuzz.h"

#define ARCHIVE_MEMBERS_MAX 32
#define ARCHIVE_NAME_BYTES  700

struct member {
    char name[ARCHIVE_NAME_BYTES];
    uint32_t mode, uid, gid, mtime_s, ino, nlink;
    const uint8_t *data; /* in the input */
    size_t data_bytes;
};

struct archive {
    char *bytes; /* a heap block of exactly size_bytes; archive_free() */
    size_t size_bytes;
    struct member members[ARCHIVE_MEMBERS_MAX];
    unsigned nmembers;
    bool whole; /* nothing was damaged, and the trailer is there */
};

void archive_take(struct archive *a, struct input *in);
void archive_free(struct archive *a);

/* The name without "./" and "/" in front, as the reader gives it. */
const char *archive_plain_name(const char *name);
