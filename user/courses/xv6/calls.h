/* The functions of xv6 (x86) alone, as in ../common/xv6_calls.h: one list for user.h and xv6.c. */
XV6_CALL(int, exit, (void), __attribute__((noreturn)))
XV6_CALL(int, wait, (void), )
XV6_CALL(void, printf, (int fd, const char *fmt, ...), )

/* The course's additions: X1 to X4. */
XV6_CALL(int, shm_open, (int id, char **pointer), )
XV6_CALL(int, shm_close, (int id), )
XV6_CALL(void *, mmap, (void *addr, unsigned long length), )
XV6_CALL(int, munmap, (void *addr, unsigned long length), )
