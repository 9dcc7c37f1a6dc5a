#include "archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/linux_fs.h>

static void put(struct archive *a, const void *data, size_t n)
{
    a->bytes = realloc(a->bytes, a->size_bytes + n + 3);
    if (n > 0)
        memcpy(a->bytes + a->size_bytes, data, n);
    a->size_bytes += n;
    while (a->size_bytes % 4 != 0)
        a->bytes[a->size_bytes++] = 0;
}

static void put_member(struct archive *a, const struct member *m)
{
    char head[128 + ARCHIVE_NAME_BYTES];
    int n = snprintf(head, sizeof(head),
                     "07070%c%08x%08x%08x%08x%08x%08X%08zx%08x%08x%08x%08x%08zx%08x%s",
                     m->ino % 2 ? '1' : '2', m->ino, m->mode, m->uid, m->gid, m->nlink, m->mtime_s,
                     m->data_bytes, 0, 0, 0, 0, strlen(m->name) + 1, 0, m->name);
    put(a, head, (size_t)n + 1);
    put(a, m->data, m->data_bytes);
}

/* One component: mostly of a few names, so that members meet. */
static size_t take_component(struct input *in, char *to)
{
    static const char *const names[] = {"a",  "b",   "c",   "d",   "dev",     "shm",
                                        "..", ".",   "",    "tmp", "proc",    "null",
                                        "a",  "bin", "etc", "x",   "console", "init"};
    unsigned i = take_below(in, ARRAY_LEN(names) + 3);
    if (i < ARRAY_LEN(names))
        return (size_t)sprintf(to, "%s", names[i]);
    size_t n;
    const uint8_t *raw = take_bytes(in, take_below(in, 8), &n);
    if (i == ARRAY_LEN(names)) { /* around NAME_MAX */
        n = 250 + take_below(in, 10);
        memset(to, 'n', n);
    } else {
        for (size_t k = 0; k < n; k++)
            to[k] = raw[k] ? (char)raw[k] : 'z';
    }
    return n;
}

static void take_name(struct input *in, char *name)
{
    static const char *const prefixes[] = {"", "", "./", "/", "//", "././"};
    size_t n = (size_t)sprintf(name, "%s", prefixes[take_below(in, ARRAY_LEN(prefixes))]);
    for (unsigned i = take_below(in, 4); n < 400; i--) {
        n += take_component(in, name + n);
        if (i == 0)
            break;
        name[n++] = '/';
    }
    name[n] = '\0';
}

static void take_member(struct input *in, struct member *m)
{
    static const uint32_t types[] = {S_IFREG, S_IFREG, S_IFDIR,  S_IFDIR, S_IFLNK,
                                     S_IFCHR, S_IFIFO, S_IFSOCK, S_IFBLK};
    unsigned i = take_below(in, ARRAY_LEN(types) + 1);
    m->mode =
        i < ARRAY_LEN(types) ? types[i] | (uint32_t)(take(in, 2) & 07777) : (uint32_t)take(in, 4);
    take_name(in, m->name);
    m->uid = take_byte(in);
    m->gid = take_byte(in);
    m->mtime_s = (uint32_t)take(in, 4);
    m->ino = take_below(in, 4);
    m->nlink = take_below(in, 4);
    m->data = take_bytes(in, take_byte(in) % 4 ? take_byte(in) : 0, &m->data_bytes);
}

static void damage(struct archive *a, uint16_t at, uint8_t byte)
{
    size_t offset = at % a->size_bytes;
    a->whole &= (uint8_t)a->bytes[offset] == byte;
    a->bytes[offset] = (char)byte;
}

void archive_take(struct archive *a, struct input *in)
{
    struct member trailer = {.name = "TRAILER!!!", .nlink = 1};
    uint8_t flags = take_byte(in);
    uint16_t at[3], cut = (uint16_t)(flags & 8 ? take(in, 2) : 0);
    uint8_t byte[3];
    unsigned ndamages = flags % 4;
    for (unsigned i = 0; i < ndamages; i++) {
        at[i] = (uint16_t)take(in, 2);
        byte[i] = take_byte(in);
    }
    *a = (struct archive){.whole = true};
    while (input_left(in) > 0 && a->nmembers < ARCHIVE_MEMBERS_MAX) {
        take_member(in, &a->members[a->nmembers]);
        put_member(a, &a->members[a->nmembers++]);
    }
    put_member(a, &trailer);
    for (unsigned i = 0; i < ndamages; i++)
        damage(a, at[i], byte[i]);
    if (cut % a->size_bytes != 0) {
        a->size_bytes = cut % a->size_bytes;
        a->whole = false;
    }
    a->bytes = realloc(a->bytes, a->size_bytes);
}

void archive_free(struct archive *a)
{
    free(a->bytes);
}

const char *archive_plain_name(const char *name)
{
    while (name[0] == '/' || strncmp(name, "./", 2) == 0)
        name += name[0] == '/' ? 1 : 2;
    return strcmp(name, ".") == 0 ? "" : name;
}
