/* Undefined behaviour, found by the compiler's checks in debug builds: each is a panic that says
 * where and what. */
#include "ubsan.h"
#include <kernel/base/panic.h>
#include <lib/fmt.h>

#define REPORT(place_, fmt, ...)                                                                   \
    panic("ubsan: %s:%u:%u: " fmt, (place_)->file, (place_)->line, (place_)->column, __VA_ARGS__)

#define VALUE_MAX 48

static unsigned value_bits(const struct ubsan_type *type)
{
    return 1u << (type->info >> 1);
}

/* The value in decimal; the address of one that has no room in a register. */
static const char *value_text(char text[VALUE_MAX], const struct ubsan_type *type,
                              ubsan_value_t value)
{
    unsigned bits = value_bits(type);
    if (type->kind != UBSAN_INTEGER || bits > 64)
        fmt_snprint(text, VALUE_MAX, "(value at %#lx)", (unsigned long)value);
    else if (type->info & 1)
        fmt_snprint(text, VALUE_MAX, "%ld", (long)(value << (64 - bits)) >> (64 - bits));
    else
        fmt_snprint(text, VALUE_MAX, "%lu", (unsigned long)value);
    return text;
}

_Noreturn static void overflow(const struct ubsan_data *data, const char *operator, ubsan_value_t a,
                               ubsan_value_t b)
{
    char left[VALUE_MAX], right[VALUE_MAX];
    REPORT(&data->place, "%s %s %s overflows %s", value_text(left, data->type, a), operator,
           value_text(right, data->type, b), data->type->name);
}

UBSAN_HANDLER(add_overflow_abort, const struct ubsan_data *data, ubsan_value_t a, ubsan_value_t b)
{
    overflow(data, "+", a, b);
}

UBSAN_HANDLER(sub_overflow_abort, const struct ubsan_data *data, ubsan_value_t a, ubsan_value_t b)
{
    overflow(data, "-", a, b);
}

UBSAN_HANDLER(mul_overflow_abort, const struct ubsan_data *data, ubsan_value_t a, ubsan_value_t b)
{
    overflow(data, "*", a, b);
}

UBSAN_HANDLER(divrem_overflow_abort, const struct ubsan_data *data, ubsan_value_t a,
              ubsan_value_t b)
{
    overflow(data, "/", a, b);
}

UBSAN_HANDLER(negate_overflow_abort, const struct ubsan_data *data, ubsan_value_t a)
{
    char text[VALUE_MAX];
    REPORT(&data->place, "-(%s) overflows %s", value_text(text, data->type, a), data->type->name);
}

UBSAN_HANDLER(shift_out_of_bounds_abort, const struct ubsan_data *data, ubsan_value_t value,
              ubsan_value_t by)
{
    char left[VALUE_MAX], right[VALUE_MAX];
    REPORT(&data->place, "%s shifted by %s in %s", value_text(left, data->type, value),
           value_text(right, data->type2, by), data->type->name);
}

UBSAN_HANDLER(out_of_bounds_abort, const struct ubsan_data *data, ubsan_value_t index)
{
    char text[VALUE_MAX];
    REPORT(&data->place, "index %s is outside of %s", value_text(text, data->type2, index),
           data->type->name);
}

UBSAN_HANDLER(load_invalid_value_abort, const struct ubsan_data *data, ubsan_value_t value)
{
    REPORT(&data->place, "%#lx is no value of %s", (unsigned long)value, data->type->name);
}

UBSAN_HANDLER(vla_bound_not_positive_abort, const struct ubsan_data *data, ubsan_value_t bound)
{
    char text[VALUE_MAX];
    REPORT(&data->place, "an array of %s elements", value_text(text, data->type, bound));
}

UBSAN_HANDLER(pointer_overflow_abort, const struct ubsan_data *data, uintptr_t base,
              uintptr_t result)
{
    REPORT(&data->place, "pointer arithmetic from %#lx to %#lx", (unsigned long)base,
           (unsigned long)result);
}

UBSAN_HANDLER(type_mismatch_v1_abort, const struct ubsan_mismatch *data, uintptr_t pointer)
{
    static const char *const kinds[] = {
        "load of", "store to", "reference to", "member access in", "member call on",
    };
    const char *kind = data->kind < ARRAY_LEN(kinds) ? kinds[data->kind] : "use of";
    size_t align = (size_t)1 << data->align_log2;
    const char *why = pointer == 0                  ? "a null pointer"
                      : !IS_ALIGNED(pointer, align) ? "a misaligned address"
                                                    : "an object that is too small";
    REPORT(&data->place, "%s %s at %#lx: %s", kind, data->type->name, (unsigned long)pointer, why);
}

UBSAN_HANDLER(invalid_builtin_abort, const struct ubsan_builtin *data)
{
    REPORT(&data->place, "%s of 0", data->kind == 0 ? "__builtin_ctz" : "__builtin_clz");
}

UBSAN_HANDLER(nonnull_arg_abort, const struct ubsan_data *data)
{
    REPORT(&data->place, "%s", "a null argument that must not be");
}

UBSAN_HANDLER(builtin_unreachable, const struct ubsan_data *data)
{
    REPORT(&data->place, "%s", "reached what is unreachable");
}

UBSAN_HANDLER(missing_return, const struct ubsan_data *data)
{
    REPORT(&data->place, "%s", "no value was returned");
}
