/* The reader of cpio archives: an archive as it is, or (first byte odd) one built here. */
#include "archive.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>
#include <lib/cpio.h>

/* Everything that an entry says lies in the archive, behind the entry before. */
static void check_inside(const struct cpio_iter *it, const struct cpio_entry *e, size_t offset)
{
    const char *beg = it->base + offset, *end = it->base + it->offset;
    CHECK(it->offset <= it->size_bytes && it->offset > offset && it->offset % 4 == 0, "offsets");
    CHECK(e->name >= beg + 110 && e->name < end, "the name is elsewhere");
    const char *name_end = memchr(e->name, '\0', (size_t)(end - e->name));
    CHECK(name_end, "the name has no end");
    CHECK((const char *)e->data > name_end && e->size_bytes <= (size_t)(end - (char *)e->data),
          "the data are elsewhere");
    CHECK(e->name[0] != '/' && strncmp(e->name, "./", 2) != 0 && strcmp(e->name, ".") != 0,
          "\"%s\" is not plain", e->name);
}

static void check_member(const struct cpio_entry *e, const struct member *m)
{
    CHECK(strcmp(e->name, archive_plain_name(m->name)) == 0, "\"%s\" for \"%s\"", e->name, m->name);
    CHECK(e->mode == m->mode && e->uid == m->uid && e->gid == m->gid, "%s: rights", m->name);
    CHECK(e->mtime_s == m->mtime_s && e->ino == m->ino && e->nlink == m->nlink, "%s: numbers",
          m->name);
    CHECK(e->size_bytes == m->data_bytes, "%s: size", m->name);
    CHECK(m->data_bytes == 0 || memcmp(e->data, m->data, m->data_bytes) == 0, "%s: data", m->name);
}

/* `want`: the archive it must be, or NULL. */
static void check_archive(const char *bytes, size_t size_bytes, const struct archive *want)
{
    struct cpio_iter it;
    struct cpio_entry entry;
    unsigned n = 0;
    int result;
    cpio_begin(&it, bytes, size_bytes);
    for (;; n++) {
        size_t offset = it.offset;
        result = cpio_next(&it, &entry);
        if (result != 1) {
            CHECK(result == 0 || result == -EINVAL, "%d", result);
            CHECK(it.offset == offset && cpio_next(&it, &entry) == result, "the end is no end");
            break;
        }
        check_inside(&it, &entry, offset);
        if (want && strcmp(want->members[n].name, "TRAILER!!!") != 0)
            check_member(&entry, &want->members[n]);
    }
    CHECK(!want || result == 0, "a good archive is refused");
    CHECK(!want || n == want->nmembers || strcmp(want->members[n].name, "TRAILER!!!") == 0,
          "%u members of %u", n, want->nmembers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, data + size};
    if (take_byte(&in) & 1) {
        static struct archive a;
        archive_take(&a, &in);
        check_archive(a.bytes, a.size_bytes, a.whole ? &a : NULL);
        archive_free(&a);
    } else {
        size_t n = input_left(&in);
        char *copy = fuzz_copy(in.at, n);
        check_archive(copy, n, NULL);
        free(copy);
    }
    return 0;
}
