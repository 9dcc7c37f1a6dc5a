/* What -fsanitize=undefined calls.  The names, and the shapes of the data, are the compiler's. */
#pragma once

#include <lib/util.h>

struct ubsan_place {
    const char *file;
    uint32_t line, column;
};

struct ubsan_type {
    uint16_t kind; /* UBSAN_INTEGER or other */
    uint16_t info; /* of an integer: bit 0 signed, then the logarithm of its bits */
    char name[];   /* with quotes */
};

#define UBSAN_INTEGER 0

/* Every data block begins with its place; these are all that follows in any. */
struct ubsan_data {
    struct ubsan_place place;
    const struct ubsan_type *type, *type2;
};

struct ubsan_mismatch {
    struct ubsan_place place;
    const struct ubsan_type *type;
    uint8_t align_log2, kind;
};

struct ubsan_builtin {
    struct ubsan_place place;
    uint8_t kind;
};

typedef uintptr_t ubsan_value_t; /* the value itself when it fits, else its address */

#define UBSAN_HANDLER(name, ...) _Noreturn void __ubsan_handle_##name(__VA_ARGS__)

UBSAN_HANDLER(add_overflow_abort, const struct ubsan_data *, ubsan_value_t, ubsan_value_t);
UBSAN_HANDLER(sub_overflow_abort, const struct ubsan_data *, ubsan_value_t, ubsan_value_t);
UBSAN_HANDLER(mul_overflow_abort, const struct ubsan_data *, ubsan_value_t, ubsan_value_t);
UBSAN_HANDLER(divrem_overflow_abort, const struct ubsan_data *, ubsan_value_t, ubsan_value_t);
UBSAN_HANDLER(negate_overflow_abort, const struct ubsan_data *, ubsan_value_t);
UBSAN_HANDLER(shift_out_of_bounds_abort, const struct ubsan_data *, ubsan_value_t, ubsan_value_t);
UBSAN_HANDLER(out_of_bounds_abort, const struct ubsan_data *, ubsan_value_t);
UBSAN_HANDLER(load_invalid_value_abort, const struct ubsan_data *, ubsan_value_t);
UBSAN_HANDLER(vla_bound_not_positive_abort, const struct ubsan_data *, ubsan_value_t);
UBSAN_HANDLER(pointer_overflow_abort, const struct ubsan_data *, uintptr_t, uintptr_t);
UBSAN_HANDLER(type_mismatch_v1_abort, const struct ubsan_mismatch *, uintptr_t);
UBSAN_HANDLER(invalid_builtin_abort, const struct ubsan_builtin *);
UBSAN_HANDLER(nonnull_arg_abort, const struct ubsan_data *);
UBSAN_HANDLER(builtin_unreachable, const struct ubsan_data *);
UBSAN_HANDLER(missing_return, const struct ubsan_data *);
