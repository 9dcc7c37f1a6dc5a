/* Paths from an input: components that meet, names that are there, lengths around the limits. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

static size_t take_component(struct input *in, char *to)
{
    static const char *const names[] = {"a",    "b",   "c",  "a",  "b",   "d",      "l",    "m",
                                        "..",   ".",   "..", "..", "dev", "shm",    "null", "tmp",
                                        "proc", "shm", "e",  ".",  "dev", "meminfo"};
    static const uint8_t lengths[] = {126, 127, 128, 254, 255};
    unsigned i = take_byte(in);
    i = i < 192 ? i % ARRAY_LEN(names) : i % 32;
    if (i < ARRAY_LEN(names))
        return (size_t)sprintf(to, "%s", names[i]);
    if (i == 30 || i == 31) {
        size_t n = i == 30 ? 256 : lengths[take_below(in, ARRAY_LEN(lengths))];
        memset(to, 'n', n);
        return n;
    }
    size_t n;
    const uint8_t *raw = take_bytes(in, i % 4 + 1, &n);
    for (size_t k = 0; k < n; k++)
        to[k] = raw[k] ? (char)raw[k] : '/';
    return n;
}

/* The path of a directory from the root, without a slash behind it; it may be too long. */
static size_t dir_path(const struct tree *t, const struct tnode *dir, char *path)
{
    if (dir == t->root)
        return 0;
    for (unsigned i = 0; i < TREE_NAMES_MAX; i++)
        if (t->names[i].dir && t->names[i].node == dir) {
            size_t n = dir_path(t, t->names[i].dir, path);
            return n > PATH_BYTES ? n : n + (size_t)sprintf(path + n, "/%s", t->names[i].name);
        }
    return (size_t)sprintf(path, "/removed");
}

/* A path that leads somewhere: of the names that are there, often one of the latest. */
static size_t take_existing(struct input *in, const struct tree *t, char *path)
{
    unsigned end = TREE_NAMES_MAX, i = take_byte(in);
    while (!t->names[end - 1].dir)
        end--;
    i = i & 128 ? end - 1 - i % 8 : i % end;
    while (!t->names[i].dir)
        i = i > 0 ? i - 1 : end - 1;
    size_t n = dir_path(t, t->names[i].dir, path);
    return n + (size_t)sprintf(path + n, "/%s", t->names[i].name);
}

/* A name in a directory that is there, often a free one. */
static size_t take_beside(struct input *in, const struct tree *t, char *path)
{
    unsigned i = take_byte(in) % t->nnodes;
    while (!S_ISDIR(t->nodes[i].mode) || t->nodes[i].dev == TREE_PROC)
        i--; /* the first node is the root */
    size_t n = dir_path(t, &t->nodes[i], path);
    path[n++] = '/';
    return n + take_component(in, path + n);
}

static size_t take_components(struct input *in, unsigned count, char *path)
{
    size_t n = 0;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            path[n++] = '/';
        n += take_component(in, path + n);
    }
    return n;
}

/* The same over and over again, up to the limits. */
static size_t repeat(char *path, size_t n, unsigned times)
{
    size_t piece = n;
    for (; piece > 0 && times > 1 && n + piece + 1 < PATH_BYTES + 64; times--) {
        path[n++] = '/';
        memcpy(path + n, path, piece);
        n += piece;
    }
    return n;
}

void take_path(struct input *in, const struct tree *t, bool make, char path[TREE_PATH_BYTES])
{
    uint8_t shape = take_byte(in);
    size_t n = 0;
    switch (shape % 8) {
    case 0:
        path[n] = '/';
        n += shape >> 3 & 1;
        n += take_components(in, 1 + (shape >> 4) % 8u, path + n);
        break;
    case 1:
        n = shape >> 3 ? take_components(in, 1 + (shape >> 3) % 8u, path) : 0;
        n = shape & 64 ? repeat(path, n, take_byte(in) * (shape & 128 ? 8u : 1)) : n;
        break;
    case 2:
        n = make ? take_existing(in, t, path) : take_beside(in, t, path);
        break;
    default:
        n = make ? take_beside(in, t, path) : take_existing(in, t, path);
        n = n < PATH_BYTES && shape >= 0xf0 ? repeat(path, n, take_byte(in)) : n;
    }
    if ((shape & 0x38) == 0x38)
        path[n++] = '/';
    path[n] = '\0';
}
