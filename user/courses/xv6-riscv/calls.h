/* The functions of xv6 (RISC-V) alone, as in ../common/xv6_calls.h: one list for user/user.h and
 * riscv.c. */
XV6_CALL(int, exit, (int status), __attribute__((noreturn)))
XV6_CALL(int, wait, (int *status), )
XV6_CALL(void, fprintf, (int fd, const char *fmt, ...), )
XV6_CALL(void, printf, (const char *fmt, ...), )
XV6_CALL(void *, memcpy, (void *to, const void *from, unsigned int n), )
XV6_CALL(int, memcmp, (const void *a, const void *b, unsigned int n), )
