#include <arch/console.h>
#include <kernel/base/printk.h>
#include <kernel/base/spinlock.h>
#include <lib/fmt.h>

/* Serializes arch_console_write().  While this CPU panics it waits for no lock, so a panic can
 * print from anywhere. */
static struct spinlock console_lock = SPINLOCK_INIT("console", RANK_CONSOLE);

/* Gathers pieces, so that the device is not called for each of them. */
struct line {
    size_t used;
    char bytes[128];
};

static void line_flush(struct line *line)
{
    if (line->used)
        arch_console_write(line->bytes, line->used);
    line->used = 0;
}

static void line_sink(void *arg, const char *s, size_t n)
{
    struct line *line = arg;
    for (size_t i = 0; i < n; i++) {
        if (line->used + 2 > sizeof(line->bytes))
            line_flush(line);
        if (s[i] == '\n')
            line->bytes[line->used++] = '\r';
        line->bytes[line->used++] = s[i];
    }
}

void printk(const char *fmt, ...)
{
    struct line line = {.used = 0};
    va_list ap;
    va_start(ap, fmt);
    spin_lock(&console_lock);
    fmt_write(line_sink, &line, fmt, ap);
    line_flush(&line);
    spin_unlock(&console_lock);
    va_end(ap);
}

void console_write(const char *s, size_t n)
{
    struct line line = {.used = 0};
    spin_lock(&console_lock);
    line_sink(&line, s, n);
    line_flush(&line);
    spin_unlock(&console_lock);
}
