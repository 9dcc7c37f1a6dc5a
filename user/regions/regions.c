/* regions: what shared memory there is, and who has it (/proc/regions and /proc/PID/maps).
 *
 *     regions                 every region, page, zone, segment and object, one a line
 *     regions -w [SECONDS]    again and again, every second unless told, until interrupted
 *     regions -v NAME         all about one, and every process that maps it */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_PATH    "/proc/regions"
#define COLUMNS_MAX   32
#define LINE_BYTES    4096
#define DEVICE_OF_SHM "00:03" /* the file system whose inode numbers are ids of the table */

/* One line of the table, and the first line, which names the columns. */
struct row {
    char text[LINE_BYTES];
    char *words[COLUMNS_MAX];
    unsigned nwords;
};

static void split(struct row *row)
{
    row->nwords = 0;
    for (char *w = strtok(row->text, " \t\n"); w && row->nwords < COLUMNS_MAX;
         w = strtok(NULL, " \t\n"))
        row->words[row->nwords++] = w;
}

static bool read_row(FILE *table, struct row *row)
{
    if (!fgets(row->text, sizeof(row->text), table))
        return false;
    split(row);
    return true;
}

/* The word below a column's name; "-" when the kernel does not tell. */
static const char *column(const struct row *head, const struct row *row, const char *name)
{
    for (unsigned i = 0; i < head->nwords && i < row->nwords; i++) {
        if (strcmp(head->words[i], name) == 0)
            return row->words[i];
    }
    return "-";
}

static unsigned long long number(const struct row *head, const struct row *row, const char *name)
{
    return strtoull(column(head, row, name), NULL, 10);
}

/* 4096 is 4K. */
static const char *size_text(unsigned long long bytes, char *buf, size_t buf_bytes)
{
    static const char units[] = "BKMGT";
    unsigned unit = 0;
    unsigned long long tenths = 0;

    while (bytes >= 1024 && units[unit + 1]) {
        tenths = bytes % 1024 * 10 / 1024;
        bytes /= 1024;
        unit++;
    }
    if (tenths)
        snprintf(buf, buf_bytes, "%llu.%llu%c", bytes, tenths, units[unit]);
    else
        snprintf(buf, buf_bytes, "%llu%c", bytes, units[unit]);
    return buf;
}

/* Opens the table and reads its head; NULL, with a message, when there is none. */
static FILE *open_table(struct row *head)
{
    FILE *table = fopen(TABLE_PATH, "r");

    if (table && read_row(table, head))
        return table;
    fprintf(stderr, "regions: %s: %s\n", TABLE_PATH, table ? "empty" : strerror(errno));
    if (table)
        fclose(table);
    return NULL;
}

static void print_line(const struct row *head, const struct row *row)
{
    char size[32], resident[32];
    unsigned long long page_bytes = (unsigned long long)sysconf(_SC_PAGESIZE);

    size_text(number(head, row, "size"), size, sizeof(size));
    size_text(number(head, row, "resident") * page_bytes, resident, sizeof(resident));
    printf("%-7s %-24s %8s %8s %6s %5s %5s %-8s %6s %7s\n", column(head, row, "kind"),
           column(head, row, "key"), size, resident, column(head, row, "mappings"),
           column(head, row, "uid"), column(head, row, "mode"), column(head, row, "state"),
           column(head, row, "holder"), column(head, row, "waiters"));
}

static int list(void)
{
    static struct row head, row;
    FILE *table = open_table(&head);
    unsigned n = 0;

    if (!table)
        return 1;
    printf("%-7s %-24s %8s %8s %6s %5s %5s %-8s %6s %7s\n", "KIND", "KEY", "SIZE", "RESIDENT",
           "MAPPED", "UID", "MODE", "STATE", "LOCKED", "WAITERS");
    for (; read_row(table, &row); n++)
        print_line(&head, &row);
    fclose(table);
    if (n == 0)
        printf("(none)\n");
    fflush(stdout);
    return 0;
}

static int watch(unsigned seconds)
{
    const char *before = isatty(STDOUT_FILENO) ? "\033[H\033[2J" : "";
    const char *after = isatty(STDOUT_FILENO) ? "" : "\n";

    for (;;) {
        printf("%s", before);
        if (list() != 0)
            return 1;
        printf("%s", after);
        fflush(stdout);
        sleep(seconds);
    }
}

static void read_comm(const char *pid, char *comm, size_t comm_bytes)
{
    char path[300];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    f = fopen(path, "r");
    if (!f || !fgets(comm, (int)comm_bytes, f))
        snprintf(comm, comm_bytes, "?");
    comm[strcspn(comm, "\n")] = '\0';
    if (f)
        fclose(f);
}

/* Prints the lines of one process's maps that show the object `id`; how many. */
static unsigned print_mappings(FILE *maps, const char *pid, const char *id)
{
    static struct row line; /* range, rights, offset, device, inode, name */
    char comm[64];
    unsigned n = 0;

    for (; read_row(maps, &line);) {
        if (line.nwords < 5 || strcmp(line.words[3], DEVICE_OF_SHM) != 0 ||
            strcmp(line.words[4], id) != 0)
            continue;
        if (n++ == 0)
            read_comm(pid, comm, sizeof(comm));
        printf("  %6s %-15s %s %s +0x%llx\n", pid, comm, line.words[0], line.words[1],
               strtoull(line.words[2], NULL, 16));
    }
    return n;
}

/* Every process that maps the object; those whose maps are not ours to read are counted. */
static void print_users(const char *id)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    unsigned found = 0, hidden = 0;

    printf("mapped by  pid program         range, rights, offset\n");
    while (proc && (e = readdir(proc))) {
        char path[300];
        FILE *maps;

        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/maps", e->d_name);
        maps = fopen(path, "r");
        if (!maps) {
            hidden += errno == EACCES;
            continue;
        }
        found += print_mappings(maps, e->d_name, id);
        fclose(maps);
    }
    if (proc)
        closedir(proc);
    if (!found)
        printf("  nobody\n");
    if (hidden)
        printf("  (%u processes of other users not looked at)\n", hidden);
}

static void print_rights(const char *mode_text)
{
    unsigned mode = (unsigned)strtoul(mode_text, NULL, 8);
    static const char letters[] = "rwxrwxrwx";
    char text[10];

    for (unsigned i = 0; i < 9; i++)
        text[i] = mode & (0400u >> i) ? letters[i] : '-';
    text[9] = '\0';
    printf("rights     %s %s\n", mode_text, text);
}

static void print_all_about(const struct row *head, const struct row *row)
{
    char size[32];
    const char *holder = column(head, row, "holder");
    char comm[64] = "";

    if (strcmp(holder, "-") != 0)
        read_comm(holder, comm, sizeof(comm));
    size_text(number(head, row, "size"), size, sizeof(size));
    printf("%s %s\n", column(head, row, "kind"), column(head, row, "key"));
    printf("id         %s\n", column(head, row, "id"));
    printf("state      %s\n", column(head, row, "state"));
    printf("size       %s (%s bytes)\n", size, column(head, row, "size"));
    printf("resident   %s pages, filled %s times\n", column(head, row, "resident"),
           column(head, row, "fills"));
    printf("owner      uid %s gid %s\n", column(head, row, "uid"), column(head, row, "gid"));
    print_rights(column(head, row, "mode"));
    printf("creator    %s\n", column(head, row, "creator"));
    printf("lock       %s %s, %s waiting\n", holder, comm, column(head, row, "waiters"));
    printf("mappings   %s, other users %s\n", column(head, row, "mappings"),
           column(head, row, "users"));
    fflush(stdout);
    print_users(column(head, row, "id"));
}

static int show(const char *name)
{
    static struct row head, row;
    FILE *table = open_table(&head);
    unsigned n = 0;

    if (!table)
        return 1;
    while (read_row(table, &row)) {
        if (strcmp(column(&head, &row, "key"), name) != 0)
            continue;
        if (n++ > 0)
            printf("\n");
        print_all_about(&head, &row);
    }
    fclose(table);
    if (n == 0)
        fprintf(stderr, "regions: %s: no such region\n", name);
    return n == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: regions [-w [SECONDS] | -v NAME]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return list();
    if (strcmp(argv[1], "-v") == 0 && argc == 3)
        return show(argv[2]);
    if (strcmp(argv[1], "-w") == 0 && argc <= 3) {
        char *end = "";
        unsigned long seconds = argc == 3 ? strtoul(argv[2], &end, 10) : 1;

        if (*end == '\0' && seconds >= 1 && seconds <= 3600)
            return watch((unsigned)seconds);
    }
    return usage();
}
