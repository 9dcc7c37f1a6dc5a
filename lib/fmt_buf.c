#include <lib/fmt.h>
#include <lib/string.h>

struct buffer {
    char *beg;
    size_t used, room; /* room: without the NUL */
};

static void buffer_sink(void *arg, const char *s, size_t n)
{
    struct buffer *buf = arg;
    n = MIN(n, buf->room - buf->used);
    memcpy(buf->beg + buf->used, s, n);
    buf->used += n;
}

size_t fmt_vsnprint(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct buffer buffer = {.beg = buf, .room = size ? size - 1 : 0};
    size_t total = fmt_write(buffer_sink, &buffer, fmt, ap);
    if (size)
        buf[buffer.used] = '\0';
    return total;
}

size_t fmt_snprint(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t n = fmt_vsnprint(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
