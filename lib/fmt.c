#include <lib/fmt.h>
#include <lib/string.h>

struct output {
    fmt_sink sink;
    void *arg;
    size_t total;
};

/* One conversion: between '%' and its letter. */
struct spec {
    bool left, zero, plus, space, alt;
    size_t width;
    size_t precision;
    bool has_precision;
    char length; /* 'H' for hh, 'h', 0, 'l', 'L' for ll, 'z', 'j', 't' */
};

#define DIGITS_MAX 24 /* 64 bits in octal, and a leading 0 */

/* Absurd widths would only tie up the console. */
#define WIDTH_MAX 4096

static void emit(struct output *out, const char *s, size_t n)
{
    if (n) {
        out->sink(out->arg, s, n);
        out->total += n;
    }
}

static void emit_fill(struct output *out, char c, size_t n)
{
    char piece[16];
    memset(piece, c, sizeof(piece));
    for (; n > sizeof(piece); n -= sizeof(piece))
        emit(out, piece, sizeof(piece));
    emit(out, piece, n);
}

/* A field of `width`: padding, prefix (sign or 0x), zeros, body. */
static void emit_field(struct output *out, const struct spec *spec, const char *prefix,
                       size_t zeros, const char *body, size_t n)
{
    size_t prefix_n = strlen(prefix);
    size_t used = prefix_n + zeros + n;
    size_t pad = spec->width > used ? spec->width - used : 0;
    if (!spec->left)
        emit_fill(out, ' ', pad);
    emit(out, prefix, prefix_n);
    emit_fill(out, '0', zeros);
    emit(out, body, n);
    if (spec->left)
        emit_fill(out, ' ', pad);
}

static void emit_number(struct output *out, const struct spec *spec, const char *prefix,
                        uint64_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char buf[DIGITS_MAX];
    size_t n = 0;
    for (uint64_t v = value; v; v /= base)
        buf[sizeof(buf) - ++n] = digits[v % base];

    /* Without a precision a zero is one digit; "%.0d" of a zero is none. */
    size_t min_digits = spec->has_precision ? spec->precision : 1;
    if (base == 8 && spec->alt)
        min_digits = MAX(min_digits, n + 1);
    size_t zeros = min_digits > n ? min_digits - n : 0;
    if (spec->zero && !spec->left && !spec->has_precision) {
        size_t used = strlen(prefix) + zeros + n;
        zeros += spec->width > used ? spec->width - used : 0;
    }
    emit_field(out, spec, prefix, zeros, buf + sizeof(buf) - n, n);
}

static int64_t take_signed(const struct spec *spec, va_list *ap)
{
    switch (spec->length) {
    case 'H':
        return (signed char)va_arg(*ap, int);
    case 'h':
        return (short)va_arg(*ap, int);
    case 'l':
        return va_arg(*ap, long);
    case 'L':
        return va_arg(*ap, long long);
    case 'z':
    case 't':
        return va_arg(*ap, ptrdiff_t);
    case 'j':
        return va_arg(*ap, intmax_t);
    default:
        return va_arg(*ap, int);
    }
}

static uint64_t take_unsigned(const struct spec *spec, va_list *ap)
{
    switch (spec->length) {
    case 'H':
        return (unsigned char)va_arg(*ap, unsigned);
    case 'h':
        return (unsigned short)va_arg(*ap, unsigned);
    case 'l':
        return va_arg(*ap, unsigned long);
    case 'L':
        return va_arg(*ap, unsigned long long);
    case 'z':
    case 't':
        return va_arg(*ap, size_t);
    case 'j':
        return va_arg(*ap, uintmax_t);
    default:
        return va_arg(*ap, unsigned);
    }
}

static void convert_signed(struct output *out, const struct spec *spec, va_list *ap)
{
    int64_t value = take_signed(spec, ap);
    const char *prefix = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    emit_number(out, spec, prefix, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false);
}

static void convert_hex(struct output *out, const struct spec *spec, va_list *ap, bool upper)
{
    uint64_t value = take_unsigned(spec, ap);
    const char *prefix = !spec->alt || !value ? "" : upper ? "0X" : "0x";
    emit_number(out, spec, prefix, value, 16, upper);
}

static void convert_string(struct output *out, const struct spec *spec, const char *s)
{
    if (!s)
        s = "(null)";
    size_t n = spec->has_precision ? strnlen(s, spec->precision) : strlen(s);
    emit_field(out, spec, "", 0, s, n);
}

/* An unknown letter is written as it stands: the output shows the mistake and the arguments stay in
 * step. */
static void convert(struct output *out, const struct spec *spec, char letter, va_list *ap)
{
    char c;
    switch (letter) {
    case 'd':
    case 'i':
        convert_signed(out, spec, ap);
        break;
    case 'u':
        emit_number(out, spec, "", take_unsigned(spec, ap), 10, false);
        break;
    case 'o':
        emit_number(out, spec, "", take_unsigned(spec, ap), 8, false);
        break;
    case 'x':
    case 'X':
        convert_hex(out, spec, ap, letter == 'X');
        break;
    case 'p':
        emit_number(out, spec, "0x", (uintptr_t)va_arg(*ap, void *), 16, false);
        break;
    case 'c':
        c = (char)va_arg(*ap, int);
        emit_field(out, spec, "", 0, &c, 1);
        break;
    case 's':
        convert_string(out, spec, va_arg(*ap, const char *));
        break;
    case '%':
        emit(out, "%", 1);
        break;
    default:
        emit(out, "%", 1);
        emit(out, &letter, 1);
    }
}

static const char *parse_flags(const char *p, struct spec *spec)
{
    for (;; p++) {
        if (*p == '-')
            spec->left = true;
        else if (*p == '0')
            spec->zero = true;
        else if (*p == '+')
            spec->plus = true;
        else if (*p == ' ')
            spec->space = true;
        else if (*p == '#')
            spec->alt = true;
        else
            return p;
    }
}

static const char *parse_count(const char *p, size_t *count)
{
    size_t n = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        n = MIN(n * 10 + (size_t)(*p - '0'), (size_t)WIDTH_MAX);
    *count = n;
    return p;
}

static size_t clamp_count(int n)
{
    return MIN((size_t)n, (size_t)WIDTH_MAX);
}

static const char *parse_width(const char *p, struct spec *spec, va_list *ap)
{
    if (*p == '*') {
        int n = va_arg(*ap, int);
        spec->left |= n < 0;
        spec->width =
            n < 0 ? clamp_count(n == -__INT_MAX__ - 1 ? __INT_MAX__ : -n) : clamp_count(n);
        p++;
    } else {
        p = parse_count(p, &spec->width);
    }
    if (*p != '.')
        return p;
    p++;
    spec->has_precision = true;
    if (*p != '*')
        return parse_count(p, &spec->precision);
    int n = va_arg(*ap, int);
    spec->has_precision = n >= 0; /* a negative one is as if there were none */
    spec->precision = n < 0 ? 0 : clamp_count(n);
    return p + 1;
}

static const char *parse_length(const char *p, struct spec *spec)
{
    switch (*p) {
    case 'h':
    case 'l':
        if (p[1] == *p) {
            spec->length = *p == 'h' ? 'H' : 'L';
            return p + 2;
        }
        spec->length = *p;
        return p + 1;
    case 'z':
    case 'j':
    case 't':
        spec->length = *p;
        return p + 1;
    default:
        return p;
    }
}

size_t fmt_write(fmt_sink sink, void *arg, const char *fmt, va_list ap)
{
    struct output out = {.sink = sink, .arg = arg};
    va_list args; /* a va_list parameter may be an array, of which no pointer can be passed on */
    va_copy(args, ap);
    while (*fmt) {
        const char *text = fmt;
        while (*fmt && *fmt != '%')
            fmt++;
        emit(&out, text, (size_t)(fmt - text));
        if (!*fmt)
            break;
        struct spec spec = {0};
        fmt = parse_flags(fmt + 1, &spec);
        fmt = parse_width(fmt, &spec, &args);
        fmt = parse_length(fmt, &spec);
        if (!*fmt)
            break;
        convert(&out, &spec, *fmt++, &args);
    }
    va_end(args);
    return out.total;
}
