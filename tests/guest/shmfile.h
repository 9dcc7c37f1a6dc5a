/* Files that are regions, and files in general, in a test: open, size, map. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)

/* A new file of /dev/shm. */
CHECK_UNUSED static int shm_new(const char *name, size_t size_bytes)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);

    CHECK(fd >= 0, "P1: shm_open(%s): %s", name, strerror(errno));
    CHECK_OK(ftruncate(fd, (off_t)size_bytes));
    return fd;
}

CHECK_UNUSED static char *map_file(int fd, size_t bytes, int prot, int flags)
{
    char *p = mmap(NULL, bytes, prot, flags, fd, 0);

    CHECK(p != MAP_FAILED, "P3: mmap: %s", strerror(errno));
    return p;
}

CHECK_UNUSED static char *map_shared(int fd, size_t bytes)
{
    return map_file(fd, bytes, RW, MAP_SHARED);
}

CHECK_UNUSED static off_t size_of(int fd)
{
    struct stat st;

    CHECK_OK(fstat(fd, &st));
    return st.st_size;
}

CHECK_UNUSED static unsigned mappings_of(const char *name)
{
    struct region_stat st;

    CHECK_ERR(statRegion(name, &st), ERR_OK);
    return st.mappings;
}

/* Does /dev/shm list it?  Once at most. */
CHECK_UNUSED static bool listed(const char *name)
{
    DIR *d = opendir("/dev/shm");
    bool found = false;

    CHECK(d != NULL, "P1: opendir: %s", strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, name) == 0) {
            CHECK(!found, "P1: %s is listed twice", name);
            CHECK_EQ(e->d_type, DT_REG);
            found = true;
        }
    }
    closedir(d);
    return found;
}
