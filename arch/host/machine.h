/* What boot.c gives to the simulation: private to arch/host. */
#pragma once

#include "sim.h"

void sim_init(uint64_t seed, uint64_t points_max);

unsigned host_cpus_wanted(void);

/* A stack for a CPU before it has threads. */
void host_boot_stack(struct host_context *c, void (*entry)(void *arg));

/* The stack that stands for the kernel stack at `stack_beg`: the sanitizers and the user program
 * need more room than a kernel stack has.  Once made, it stays. */
void *host_stack(const void *stack_beg, size_t *bytes);

/* The run is to end with HOST_EXIT_HANG. */
void host_hung(void);

struct host_program;
/* A newc archive with the programs, /dev, /proc and /tmp, at `to`; its size. */
size_t image_build(char *to, size_t room, const struct host_program *programs);

/* What the first instruction of a program's file says: the number of the program. */
#define PROGRAM_MAGIC 0x5348c0de00000000ul

/* The programs that exec finds. */
void user_init(const struct host_program *list);
