/* What an xv6 (x86) user program may call. */
#pragma once

#include <abi/zone.h> /* M_CREATE, M_WAIT, M_RDONLY */
#include <shoal/uspinlock.h>

struct stat;

#define XV6_STAT                              stat
#define XV6_CALL(type, name, args, attribute) type name args __asm__("xv6_" #name) attribute;
#include "calls.h"
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

/* Zones (Z1, Z2); size in pages. */
void *shmem(int id, int flags, int size);

/* mmap(addr, length): with an address, there and nowhere else, and only where all of it is free. */
#define MAP_FAILED ((void *)-1)
