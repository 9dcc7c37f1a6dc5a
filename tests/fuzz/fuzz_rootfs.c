/* The root file system made from an archive, against a list of paths. */
#include "archive.h"

#include <stdio.h>
#include <string.h>

#include "../unit/fs_support.h"
#include "../unit/host_support.h"

#define NODES_MAX 256

/* One name in the tree, as the archive's rules say. */
struct node {
    char path[ARCHIVE_NAME_BYTES];
    uint32_t mode;
    const struct member *attr; /* whose attributes and data it has; NULL: made on the way */
    unsigned file;             /* index of the first name of the same file */
};

static struct node nodes[NODES_MAX];
static unsigned nnodes;

static struct node *find(const char *path)
{
    for (unsigned i = 0; i < nnodes; i++)
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i];
    return NULL;
}

static struct node *add(const char *path, uint32_t mode, const struct member *attr)
{
    CHECK(nnodes < NODES_MAX, "too many nodes");
    struct node *n = &nodes[nnodes];
    snprintf(n->path, sizeof(n->path), "%s", path);
    n->mode = mode;
    n->attr = attr;
    n->file = nnodes++;
    return n;
}

/* Copies the path without double and trailing slashes, and makes the directories on the way.  False
 * if it is not one. */
static bool make_way(const char *from, char *to)
{
    size_t n = 0;
    while (*from) {
        size_t length = strcspn(from, "/");
        if (length == 0 || length > 255 || strncmp(from, "./", MAX(length, 2)) == 0 ||
            (length == 1 && from[0] == '.') || (length == 2 && strncmp(from, "..", 2) == 0))
            return false;
        if (n > 0) {
            to[n] = '\0';
            struct node *dir = find(to);
            if (dir && !S_ISDIR(dir->mode))
                return false;
            if (!dir)
                add(to, S_IFDIR | 0755, NULL);
            to[n++] = '/';
        }
        memcpy(to + n, from, length);
        n += length;
        from += length;
        from += strspn(from, "/");
    }
    to[n] = '\0';
    return n > 0;
}

static const struct node *same_file(const struct member *m)
{
    for (unsigned i = 0; i < nnodes; i++) {
        const struct node *n = &nodes[i];
        if (n->file == i && n->attr && S_ISREG(n->mode) && n->attr->nlink > 1 &&
            n->attr->ino == m->ino)
            return n;
    }
    return NULL;
}

static bool add_member(const struct member *m)
{
    char path[ARCHIVE_NAME_BYTES];
    const char *name = archive_plain_name(m->name);
    uint32_t type = m->mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK)
        return true;
    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFIFO &&
        type != S_IFSOCK)
        return false;
    if (!*name) {
        nodes[0].attr = m;
        return S_ISDIR(m->mode);
    }
    if (!make_way(name, path))
        return false;
    struct node *there = find(path);
    if (there) {
        there->attr = m;
        return S_ISDIR(there->mode) && S_ISDIR(m->mode);
    }
    if (S_ISLNK(m->mode) && (m->data_bytes == 0 || memchr(m->data, 0, m->data_bytes)))
        return false;
    const struct node *file = S_ISREG(m->mode) && m->nlink > 1 ? same_file(m) : NULL;
    struct node *n = add(path, file ? file->mode : m->mode, m);
    if (file)
        n->file = (unsigned)(file - nodes);
    return true;
}

/* The tree of the archive; false if it must be refused. */
static bool build_model(const struct archive *a)
{
    nnodes = 0;
    add("", S_IFDIR | 0755, NULL);
    for (unsigned i = 0; i < a->nmembers; i++) {
        if (strcmp(a->members[i].name, "TRAILER!!!") == 0)
            break;
        if (!add_member(&a->members[i]))
            return false;
    }
    return true;
}

/* Names that the kernel adds must be free, or directories where it wants those. */
static bool standard_names_free(void)
{
    static const char *const dirs[] = {"dev", "dev/shm", "tmp", "proc"};
    for (unsigned i = 0; i < ARRAY_LEN(dirs); i++) {
        struct node *n = find(dirs[i]);
        if (n && !S_ISDIR(n->mode))
            return false;
    }
    for (unsigned i = 0; i < nnodes; i++)
        if (strncmp(nodes[i].path, "proc/", 5) == 0 || strncmp(nodes[i].path, "dev/shm/", 8) == 0)
            return false;
    return true;
}

/* ---- the mounted tree against it */

/* The data of a file: the first of its names in the archive that has any. */
static const struct member *data_of(unsigned file)
{
    for (unsigned i = file; i < nnodes; i++)
        if (nodes[i].file == file && nodes[i].attr && nodes[i].attr->data_bytes > 0)
            return nodes[i].attr;
    return nodes[file].attr;
}

static unsigned links_of(const struct node *n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < nnodes; i++)
        count += nodes[i].file == n->file;
    return count;
}

static void check_contents(const char *path, const struct node *n)
{
    char buf[512];
    const struct member *m = data_of(n->file);
    long got;
    if (S_ISLNK(n->mode)) {
        got = SYS(readlink, ARG(path), ARG(buf), sizeof(buf));
    } else {
        long fd = SYS(open, ARG(path), O_RDONLY);
        CHECK(fd >= 0, "%s: open: %ld", path, fd);
        got = SYS(read, fd, ARG(buf), sizeof(buf));
        CHECK(SYS(close, fd) == 0, "close");
    }
    CHECK(got == (long)m->data_bytes, "%s: %ld bytes", path, got);
    CHECK(got == 0 || memcmp(buf, m->data, (size_t)got) == 0, "%s: contents", path);
}

static void check_node(const struct node *n)
{
    char path[ARCHIVE_NAME_BYTES + 1];
    struct linux_stat st;
    const struct member *attr = nodes[n->file].attr;
    bool standard = strcmp(n->path, "proc") == 0 || strcmp(n->path, "dev/shm") == 0;
    snprintf(path, sizeof(path), "/%s", n->path);
    long err = SYS(lstat, ARG(path), ARG(&st));
    CHECK(err == 0, "%s: %ld", path, err);
    if (standard)
        return;
    CHECK((st.st_mode & S_IFMT) == (n->mode & S_IFMT), "%s: type %o", path, st.st_mode);
    uint32_t mode = attr ? attr->mode & 07777 : 0755;
    CHECK((st.st_mode & 07777) == mode, "%s: mode %o, not %o", path, st.st_mode, mode);
    if (attr)
        CHECK(st.st_uid == attr->uid && st.st_gid == attr->gid, "%s: owner", path);
    if (!S_ISDIR(n->mode)) { /* a directory changes with what comes into it */
        CHECK(st.st_nlink == links_of(n), "%s: %lu links", path, (unsigned long)st.st_nlink);
        CHECK(st.st_mtim.sec == (int64_t)attr->mtime_s, "%s: time", path);
    }
    if (S_ISREG(n->mode) || S_ISLNK(n->mode))
        check_contents(path, n);
}

static long count_entries(const char *path)
{
    static char buf[32768];
    long n, count = 0, fd = SYS(open, ARG(path), O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0, "%s: %ld", path, fd);
    while ((n = SYS(getdents64, fd, ARG(buf), sizeof(buf))) > 0)
        for (long at = 0; at < n; count++) {
            uint16_t length;
            memcpy(&length, buf + at + 16, sizeof(length));
            CHECK(length >= 20 && at + length <= n, "%s: an entry of %u bytes", path, length);
            at += length;
        }
    CHECK(n == 0 && SYS(close, fd) == 0, "%s: %ld", path, n);
    return count;
}

/* Nothing else is there. */
static void check_dir(const struct node *dir)
{
    char path[ARCHIVE_NAME_BYTES + 1];
    long want = 2;
    size_t length = strlen(dir->path);
    if (strcmp(dir->path, "") == 0 || strcmp(dir->path, "dev") == 0 ||
        strcmp(dir->path, "proc") == 0 || strcmp(dir->path, "dev/shm") == 0)
        return;
    for (unsigned i = 0; i < nnodes; i++) {
        const char *other = nodes[i].path;
        want += strncmp(other, dir->path, length) == 0 && other[length] == '/' &&
                !strchr(other + length + 1, '/');
    }
    snprintf(path, sizeof(path), "/%s", dir->path);
    long got = count_entries(path);
    CHECK(got == want, "%s: %ld entries, not %ld", path, got, want);
}

static void check_mounted(void)
{
    for (unsigned i = 0; i < nnodes; i++) {
        check_node(&nodes[i]);
        if (S_ISDIR(nodes[i].mode))
            check_dir(&nodes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct archive a;
    struct input in = {data, data + size};
    static bool ready;
    if (!ready)
        fs_memory_init();
    ready = true;
    host_console_clear();
    archive_take(&a, &in);
    /* fs_begin and fs_end count frames and objects: nothing may be lost. */
    err_t err = fs_begin(a.bytes, a.size_bytes);
    if (a.whole) {
        bool good = build_model(&a);
        CHECK(good || err == -EINVAL, "must be refused: %d", err);
        CHECK(!good || err == 0 || !standard_names_free(), "a good one is refused: %d", err);
        CHECK(err != 0 || standard_names_free(), "an archive with the kernel's own names");
        if (err == 0)
            check_mounted();
    }
    if (err == 0)
        fs_end();
    archive_free(&a);
    return 0;
}
