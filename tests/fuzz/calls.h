/* Which system calls the stream of fuzz_syscalls makes, and what it gives them. */
#pragma once

#include "fuzz.h"

enum arg_kind {
    ARG_ANY, /* whatever the input says; behind the last argument of a call, too */
    ARG_NAME,
    ARG_PATH,
    ARG_FD,
    ARG_BYTES,   /* a size in memory */
    ARG_ADDRESS, /* of memory: mapped, half mapped, or not */
    ARG_RESULT,  /* where the kernel shall write */
    ARG_TIMEOUT,
    ARG_FLAGS, /* few bits */
    ARG_SMALL,
    ARG_PROT,
    ARG_MAP_FLAGS,
};

struct call {
    unsigned nr;
    uint8_t args[6]; /* enum arg_kind */
};

extern const struct call fuzz_calls[];
extern const unsigned fuzz_ncalls;

/* What a process remembers of its earlier calls, for later ones. */
struct caller {
    uintptr_t results[16];
    unsigned nresults;
    bool root;
};

/* An argument of the kind, in user memory of the current process where it needs any.  `slot`: which
 * scratch page it may use. */
unsigned long fuzz_arg(struct input *in, struct caller *c, enum arg_kind kind, unsigned slot);
