/* A row: a call, and what must hold when any of its allocations (or sleeps, or time limits) fails
 * (A3).
 *
 * Each row is run in a process of its own.  The call is made first without a failure, then with its
 * 1st, 2nd, 3rd ... use of row.kind failing, until none fails any more.  After each failure the
 * answer is one of row.errors, and everything is as before: the table of regions, what is mapped,
 * descriptors, frames and objects of the whole machine; and the walkers find nothing. */
#pragma once

#include "door.h"
#include "runner.h"

/* Numbers of what is no system call: a byte read, or a word written as it is, at args[0].  0, or
 * -EFAULT for SIGBUS. */
#define TOUCH_READ  (-1ul)
#define TOUCH_WRITE (-2ul)

struct fail_call {
    unsigned long nr;
    unsigned long args[6];
};
#define CALL(...) ((struct fail_call)U_FIRST_AND_REST(__VA_ARGS__, 0, 0, 0, 0, 0, 0))
#define U_FIRST_AND_REST(number, a, b, c, d, e, f, ...)                                            \
    {                                                                                              \
        (unsigned long)(number),                                                                   \
        {                                                                                          \
            (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), (unsigned long)(d),        \
                (unsigned long)(e), (unsigned long)(f)                                             \
        }                                                                                          \
    }

#define FAIL_ERRORS_MAX 4

struct fail_row {
    const char *name;
    struct fail_call (*prepare)(void); /* makes what the call needs, and says which call */
    void (*done)(long result);   /* it succeeded: looks at what it did, and undoes it; or NULL */
    void (*undo)(void);          /* of prepare, after each time; NULL: nothing */
    int errors[FAIL_ERRORS_MAX]; /* what a failure may answer; none: ENOMEM */
    unsigned kind;               /* FAIL_* */
    unsigned flags;              /* ROW_* */
    int ends;                    /* how the call ends without a failure, if not well */
};

#define ROW(row_name, row_prepare, row_done, row_undo, ...)                                        \
    {                                                                                              \
        .name = row_name, .prepare = row_prepare, .done = row_done, .undo = row_undo,              \
        ##__VA_ARGS__                                                                              \
    }

#define ROW_SURVIVES   1u  /* a failure may be got over: the call succeeds all the same */
#define ROW_NEEDS_NONE 2u  /* giving back: nothing in it may fail */
#define ROW_FRESH      4u  /* each time in a process of its own: what it does cannot be undone */
#define ROW_KEEPS      8u  /* with ROW_FRESH: a failure may leave things until the process ends */
#define ROW_TABLES     16u /* a failure may leave page tables, until what they map is unmapped */
#define ROW_DIES       32u /* with ROW_FRESH: a failure may end the process */

/* Runs `n` rows; for a case's init. */
void rows_run(const struct fail_row *rows, size_t n);
#define ROWS(rows) rows_run(rows, sizeof(rows) / sizeof *(rows))

/* A copy of `data` that stays where it is during a row, in memory that a call may read and write
 * without a fault.  At most BOX_BYTES in all each time. */
#define BOX_BYTES (4 * U_PAGE)
uintptr_t box_put(const void *data, size_t bytes);
uintptr_t box_room(size_t bytes); /* zeros */
static inline uintptr_t box_string(const char *s)
{
    return box_put(s, strlen(s) + 1);
}

/* The pages that a call under test may write to of themselves, as scratch slots: this process's own
 * again after a fork. */
void own_pages(void);
