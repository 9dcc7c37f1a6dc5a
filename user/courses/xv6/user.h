/* What an xv6 (x86) user program may call. */
#pragma once

#include <shoal/uspinlock.h>

#include "../common/xv6_user.h"
#include "calls.h"
#undef XV6_CALL

/* Zones (Z1, Z2); size in pages. */
void *shmem(int id, int flags, int size);

/* mmap(addr, length): with an address, there and nowhere else, and only where all of it is free. */
#define MAP_FAILED ((void *)-1)
