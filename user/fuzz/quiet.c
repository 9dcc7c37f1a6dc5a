/* The machine between two rounds: what outlives processes is removed, and the rest must be as it
 * was at the start. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "quiet.h"

/* Caches may keep what they had in use at the worst moment. */
#define KEPT_KB 4096

/* Folders, and how they were; root may have changed them. */
static const struct {
    const char *path;
    mode_t mode;
} folders[] = {{"/", 0755}, {"/tmp", 01777}, {"/dev", 0755}, {"/dev/shm", 01777}, {FUZZ_DIR, 0777}};
#define FOLDERS (sizeof(folders) / sizeof(folders[0]))

static void folders_restore(void)
{
    for (unsigned i = 0; i < FOLDERS; i++) {
        (void)!chown(folders[i].path, 0, 0);
        chmod(folders[i].path, folders[i].mode);
    }
}

int quiet_prepare(void)
{
    if (mkdir(FUZZ_DIR, 0777) < 0 && errno != EEXIST)
        return -1;
    folders_restore();
    return chdir("/");
}

static long field(const char *file, const char *name)
{
    static char text[4096];
    int fd = open(file, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    const char *at;

    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    at = strstr(text, name);
    return at ? atol(at + strlen(name)) : -1;
}

long quiet_free_kb(void)
{
    return field("/proc/meminfo", "MemFree:");
}

/* Everything in a folder; with `mine`, only names that workers make. */
static void folder_empty(const char *path, bool mine)
{
    DIR *dir = opendir(path);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char name[512];

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (mine && (strlen(e->d_name) != 2 || !strchr("fdl", e->d_name[0])))
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (unlink(name) < 0 && (chmod(name, 0777), rmdir(name) < 0)) {
            folder_empty(name, false);
            rmdir(name);
        }
    }
    if (dir)
        closedir(dir);
}

/* Every line of the table begins with key and id. */
static void segments_remove(void)
{
    FILE *table = fopen("/proc/sysvipc/shm", "r");
    char line[512];
    long id;

    while (table && fgets(line, sizeof(line), table))
        if (sscanf(line, "%*s %ld", &id) == 1)
            shmctl((int)id, IPC_RMID, NULL);
    if (table)
        fclose(table);
}

/* Nothing is left in the table of contexts but the tallies, and the page that init or this process
 * shares with its children, for one of them may have touched it. */
static int table_check(void)
{
    FILE *table = fopen("/proc/regions", "r");
    char line[512];
    int found = 0;

    for (unsigned n = 0; table && fgets(line, sizeof(line), table); n++) {
        if (n == 0 || !strncmp(line, "fry ", 4) || (!strncmp(line, "memfd ", 6) && n == 1))
            continue;
        dprintf(STDERR_FILENO, "fuzz: nobody lives, and there is %s", line);
        found = 1;
    }
    if (table)
        fclose(table);
    return found;
}

/* The kernel's own invariants: it panics if they do not hold.  Only debug kernels have the file. */
static int kernel_check(void)
{
    char text[4] = "";
    int fd = open("/proc/check", O_RDONLY), missing = fd < 0 && errno == ENOENT;

    if (missing || (fd >= 0 && read(fd, text, 3) == 3 && !memcmp(text, "ok\n", 3))) {
        close(fd);
        return 0;
    }
    dprintf(STDERR_FILENO, "fuzz: /proc/check: %s\n", fd < 0 ? strerror(errno) : text);
    return 1;
}

int quiet_check(long start_free_kb)
{
    long free_kb;

    folders_restore();
    folder_empty(FUZZ_DIR, false);
    folder_empty("/dev/shm", false);
    folder_empty("/tmp", true);
    folder_empty("/", true);
    segments_remove();
    free_kb = quiet_free_kb();
    if (free_kb < start_free_kb - KEPT_KB) {
        dprintf(STDERR_FILENO, "fuzz: %ld kB were free at the start, %ld now\n", start_free_kb,
                free_kb);
        return 1;
    }
    return table_check() || kernel_check() ? 1 : 0;
}
