/* What an xv6 (RISC-V) user program may call.  FRY and SHRIMP are addresses (S1 to S3). */
#pragma once

#include <abi/zone.h>

struct stat;

#define XV6_STAT                              stat
#define XV6_CALL(type, name, args, attribute) type name args __asm__("riscv_" #name) attribute;
#include "../calls.h"
#undef XV6_CALL

int fork(void);
int pipe(int *fds);
int close(int fd);
int unlink(const char *path);
int link(const char *old, const char *new_path);
int chdir(const char *path);
int dup(int fd);
int getpid(void);
char *strcpy(char *to, const char *from);
char *strchr(const char *s, char c);
int strcmp(const char *a, const char *b);
int atoi(const char *s);
void free(void *p);
