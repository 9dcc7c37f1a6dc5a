#include <abi/errno.h>
#include <lib/cpio.h>
#include <lib/string.h>

/* The header is text: a magic of 6 bytes, then fields of 8 hexadecimal digits, in this order. */
enum field {
    INO,
    MODE,
    UID,
    GID,
    NLINK,
    MTIME,
    FILESIZE,
    DEVMAJOR,
    DEVMINOR,
    RDEVMAJOR,
    RDEVMINOR,
    NAMESIZE,
    CHECK,
    FIELDS
};

#define MAGIC_BYTES  6
#define FIELD_DIGITS 8
#define HEADER_BYTES (MAGIC_BYTES + FIELDS * FIELD_DIGITS)
#define PADDING                                                                                    \
    4 /* the name and the data end at multiples of this, from the start of the archive */

void cpio_begin(struct cpio_iter *it, const void *image, size_t size_bytes)
{
    *it = (struct cpio_iter){.base = image, .size_bytes = size_bytes};
}

static bool parse_hex(const char *s, uint32_t *out)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < FIELD_DIGITS; i++) {
        char c = s[i];
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (unsigned)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (unsigned)(c - 'A') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static bool parse_header(const char *header, uint32_t fields[FIELDS])
{
    /* 070701: plain; 070702: the last field is a checksum, which nothing here relies on. */
    if (memcmp(header, "07070", MAGIC_BYTES - 1) != 0 || (header[5] != '1' && header[5] != '2'))
        return false;
    for (unsigned i = 0; i < FIELDS; i++)
        if (!parse_hex(header + MAGIC_BYTES + i * FIELD_DIGITS, &fields[i]))
            return false;
    return true;
}

/* "./etc/x", "/etc/x" and "etc/x" are one name. */
static const char *plain_name(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            break;
    }
    return strcmp(name, ".") == 0 ? name + 1 : name;
}

int cpio_next(struct cpio_iter *it, struct cpio_entry *entry)
{
    /* Offsets are sums of a few 32-bit fields and a size in memory: they do not wrap in 64 bits. */
    uint64_t name_offset = (uint64_t)it->offset + HEADER_BYTES;
    uint32_t fields[FIELDS];
    if (name_offset > it->size_bytes || !parse_header(it->base + it->offset, fields))
        return -EINVAL;

    uint64_t name_end = name_offset + fields[NAMESIZE];
    if (fields[NAMESIZE] == 0 || name_end > it->size_bytes)
        return -EINVAL;
    const char *name = it->base + name_offset;
    if (strnlen(name, fields[NAMESIZE]) != fields[NAMESIZE] - 1)
        return -EINVAL;
    if (strcmp(name, "TRAILER!!!") == 0)
        return 0;

    uint64_t data_offset = ALIGN_UP(name_end, PADDING);
    uint64_t next_offset = ALIGN_UP(data_offset + fields[FILESIZE], PADDING);
    if (next_offset > it->size_bytes)
        return -EINVAL;

    *entry = (struct cpio_entry){
        .name = plain_name(name),
        .data = it->base + data_offset,
        .size_bytes = fields[FILESIZE],
        .mode = fields[MODE],
        .uid = fields[UID],
        .gid = fields[GID],
        .mtime_s = fields[MTIME],
        .ino = fields[INO],
        .nlink = fields[NLINK],
    };
    it->offset = (size_t)next_offset;
    return 1;
}
