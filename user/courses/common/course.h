/* What the courses' small C libraries have in common. */
#pragma once

#include <stdarg.h>
#include <stdint.h>

/* The courses' printf: %d %u %x %p %s %c %%, an l before d, u and x for 64 bits; anything else is
 * printed as it stands.  One write for a short line, so that two processes' lines stay apart. */
void course_print(int fd, const char *fmt, va_list ap);

/* Sleeps the whole time, whatever signals come. */
void course_sleep_ns(uint64_t ns);
uint64_t course_uptime_ns(void);

/* Runs a program by its path, or by its name in PATH; -1 when there is none. */
int course_exec(const char *path, char *const argv[]);

/* Linux's open flags for O_RDONLY, O_WRONLY, O_RDWR and the courses' O_CREATE and O_TRUNC. */
int course_open(const char *path, int flags);

/* A line of at most max - 1 bytes from descriptor 0, with its end of line. */
char *course_gets(char *buf, int max);

/* A program's word for how a child ended: its exit status, -1 when it was killed. */
int course_status(int status);

/* Moves the end of the program's heap and returns the old end, (void *)-1 when there is no room.
 * The heap is a range of its own: musl's malloc has the kernel's. */
void *course_sbrk(long bytes);
