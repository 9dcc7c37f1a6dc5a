/* The functions of xv6 (x86) that a C library has otherwise, or not at all: one list for the
 * programs (user.h), which call them by xv6's names, and for the library (xv6.c), which defines
 * them with another name in the program file, so that musl's own are not in the way. */
XV6_CALL(int, exit, (void), __attribute__((noreturn)))
XV6_CALL(int, wait, (void), )
XV6_CALL(int, write, (int fd, const void *buf, int n), )
XV6_CALL(int, read, (int fd, void *buf, int n), )
XV6_CALL(int, kill, (int pid), )
XV6_CALL(int, exec, (char *path, char **argv), )
XV6_CALL(int, open, (const char *path, int flags), )
XV6_CALL(int, mknod, (const char *path, short major, short minor), )
XV6_CALL(int, fstat, (int fd, struct XV6_STAT *st), )
XV6_CALL(int, stat, (const char *path, struct XV6_STAT *st), )
XV6_CALL(int, mkdir, (const char *path), )
XV6_CALL(char *, sbrk, (int bytes), )
XV6_CALL(int, sleep, (int ticks), )
XV6_CALL(int, uptime, (void), )
XV6_CALL(void, printf, (int fd, const char *fmt, ...), )
XV6_CALL(char *, gets, (char *buf, int max), )
XV6_CALL(unsigned int, strlen, (const char *s), )
XV6_CALL(void *, memset, (void *p, int c, unsigned int n), )
XV6_CALL(void *, memmove, (void *to, const void *from, int n), )
XV6_CALL(void *, malloc, (unsigned int n), )

/* The course's additions: X1 to X4. */
XV6_CALL(int, shm_open, (int id, char **pointer), )
XV6_CALL(int, shm_close, (int id), )
XV6_CALL(void *, mmap, (void *addr, unsigned long length), )
XV6_CALL(int, munmap, (void *addr, unsigned long length), )
