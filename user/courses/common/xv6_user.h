/* What the user programs of both xv6s may call.  user.h of each adds its own. */
#pragma once

#include <abi/zone.h> /* zones; FRY and SHRIMP are addresses (S1 to S3) */

struct stat;

#define XV6_STAT                              stat
#define XV6_CALL(type, name, args, attribute) type name args __asm__("xv6_" #name) attribute;
#include "xv6_calls.h"

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
