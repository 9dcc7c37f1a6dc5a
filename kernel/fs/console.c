/* The console's line discipline: editing in interrupt context, whole lines to readers. */
#include <arch/upcall.h>
#include <kernel/base/context.h>
#include <kernel/base/printk.h>
#include <kernel/base/usercopy.h>
#include <kernel/fs/console.h>
#include <kernel/fs/poll.h>
#include <kernel/sched/waitq.h>
#include <lib/string.h>

#define INPUT_SLOTS 4096u
#define CHUNK_BYTES ((size_t)512)

/* In the ring, beyond all bytes: here ^D ended a read. */
#define INPUT_EOF 0x100u

#define CTRL(c) ((c) - 'A' + 1)

/* All: lock.  Positions count up; [head, commit) may be read, [commit, tail) is the line being
 * edited. */
struct console_input {
    struct spinlock lock;
    struct waitq readers;
    unsigned head, commit, tail;
    uint16_t slots[INPUT_SLOTS];
    struct linux_termios termios;
    void (*interrupt_handler)(void);
};

static struct console_input input = {
    .lock = SPINLOCK_INIT("console input", RANK_FILE),
    .readers = {LIST_INIT(input.readers.waiters)},
    .termios =
        {
            .c_iflag = ICRNL,
            .c_oflag = OPOST | ONLCR,
            .c_cflag = B38400 | CS8 | CREAD,
            .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK,
            .c_cc = {[VINTR] = CTRL('C'),
                     [VERASE] = 0x7f,
                     [VKILL] = CTRL('U'),
                     [VEOF] = CTRL('D'),
                     [VMIN] = 1},
        },
};

void console_set_interrupt_handler(void (*handler)(void))
{
    spin_lock(&input.lock);
    input.interrupt_handler = handler;
    spin_unlock(&input.lock);
}

static bool is_control(unsigned c)
{
    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

/* Is it this control character?  0 is none: _POSIX_VDISABLE.  Lock held, here and below. */
static bool is_cc(unsigned c, unsigned which) REQUIRES(input.lock)
{
    return c != 0 && c == input.termios.c_cc[which];
}

static void input_echo(unsigned c) REQUIRES(input.lock)
{
    char shown[2] = {(char)c, 0};
    size_t n = 1;

    if (!(input.termios.c_lflag & ECHO))
        return;
    if (is_control(c)) {
        shown[0] = '^';
        shown[1] = (char)(c ^ 0x40);
        n = 2;
    }
    console_write(shown, n);
}

static void input_put(unsigned c) REQUIRES(input.lock)
{
    /* The last slot is kept for the end of a line, without which nobody could read what is there.
     */
    unsigned room = INPUT_SLOTS - (input.tail - input.head);
    bool ends_line = c == '\n' || c == INPUT_EOF;

    if (room == 0 || (room == 1 && !ends_line))
        return;
    input.slots[input.tail++ % INPUT_SLOTS] = (uint16_t)c;
    if (c != INPUT_EOF)
        input_echo(c);
}

static void input_erase_one(void) REQUIRES(input.lock)
{
    static const char rub_out[] = "\b \b\b \b";

    if (input.tail == input.commit)
        return;
    unsigned c = input.slots[--input.tail % INPUT_SLOTS];
    if (input.termios.c_lflag & ECHO)
        console_write(rub_out, is_control(c) ? 6 : 3);
}

static void input_line_byte(unsigned c) REQUIRES(input.lock)
{
    if (is_cc(c, VERASE) || c == '\b') {
        input_erase_one();
    } else if (is_cc(c, VKILL)) {
        while (input.tail != input.commit)
            input_erase_one();
    } else if (is_cc(c, VEOF)) {
        input_put(INPUT_EOF);
        input.commit = input.tail;
    } else {
        input_put(c);
        if (c == '\n')
            input.commit = input.tail;
    }
}

void kernel_console_input(char byte)
{
    void (*interrupt)(void) = NULL;
    unsigned c = (uint8_t)byte;

    interrupt_enter();
    spin_lock(&input.lock);
    unsigned old_commit = input.commit;
    if ((input.termios.c_iflag & ICRNL) && c == '\r')
        c = '\n';
    if ((input.termios.c_lflag & ISIG) && is_cc(c, VINTR)) {
        input_echo(c);
        input_echo('\n');
        input.head = input.commit = input.tail;
        interrupt = input.interrupt_handler;
    } else if (input.termios.c_lflag & ICANON) {
        input_line_byte(c);
    } else {
        input_put(c);
        input.commit = input.tail;
    }
    bool readable = input.commit != old_commit && input.head != input.commit;
    if (readable)
        waitq_wake_all(&input.readers);
    spin_unlock(&input.lock);
    if (readable)
        poll_notify();
    if (interrupt != NULL)
        interrupt();
    interrupt_leave();
}

/* Waits for something to read.  Lock held.  1; 0 when a read may return empty; -EAGAIN, -EINTR. */
static int input_wait(bool nonblocking) REQUIRES(input.lock)
{
    while (input.head == input.commit) {
        if (!(input.termios.c_lflag & ICANON) && input.termios.c_cc[VMIN] == 0)
            return 0;
        if (nonblocking)
            return -EAGAIN;
        int err = waitq_sleep(&input.readers, &input.lock, SLEEP_INTERRUPTIBLE, NS_NEVER);
        if (err != 0)
            return err;
    }
    return 1;
}

/* Takes at most n bytes, and not beyond the end of a line.  Lock held.  True: nothing more now. */
static bool input_take(char *to, size_t n, size_t *taken) REQUIRES(input.lock)
{
    bool lines = input.termios.c_lflag & ICANON;

    *taken = 0;
    while (input.head != input.commit && *taken < n) {
        unsigned c = input.slots[input.head++ % INPUT_SLOTS];
        if (lines && c == INPUT_EOF)
            return true;
        to[(*taken)++] = (char)c; /* a ^D of before ICANON went off is a NUL, as on Linux */
        if (lines && c == '\n')
            return true;
    }
    /* A ^D right behind the last byte asked for belongs to it: it is not the end of the file. */
    if (lines && input.head != input.commit && input.slots[input.head % INPUT_SLOTS] == INPUT_EOF) {
        input.head++;
        return true;
    }
    return input.head == input.commit;
}

static long console_file_read(struct file *f, struct iobuf *to, uint64_t pos)
{
    char chunk[CHUNK_BYTES];
    long total = 0;
    bool ended = false;

    if (to->left_bytes == 0)
        return 0;
    spin_lock(&input.lock);
    int ready = input_wait(file_nonblocking(f));
    while (ready > 0 && !ended && to->left_bytes > 0) {
        size_t n;
        ended = input_take(chunk, MIN(CHUNK_BYTES, to->left_bytes), &n);
        spin_unlock(&input.lock);
        err_t err = iobuf_put(to, chunk, n);
        if (err != 0)
            return total > 0 ? total : err;
        total += (long)n;
        spin_lock(&input.lock);
    }
    spin_unlock(&input.lock);
    return ready < 0 ? ready : total;
}

static long console_file_write(struct file *f, struct iobuf *from, uint64_t pos)
{
    char chunk[CHUNK_BYTES];
    long total = 0;

    while (from->left_bytes > 0) {
        if (thread_interrupted(SLEEP_KILLABLE))
            return total > 0 ? total : -EINTR;
        size_t n = MIN(CHUNK_BYTES, from->left_bytes);
        err_t err = iobuf_take(from, chunk, n);
        if (err != 0)
            return total > 0 ? total : err;
        console_write(chunk, n);
        total += (long)n;
    }
    return total;
}

static long termios_set(uintptr_t arg, bool flush)
{
    struct linux_termios termios;
    err_t err = copy_from_user(&termios, arg, sizeof(termios));

    if (err != 0)
        return err;
    spin_lock(&input.lock);
    input.termios = termios;
    if (flush)
        input.head = input.commit = input.tail;
    /* A line begun before ICANON went off will get no end. */
    if (!(termios.c_lflag & ICANON))
        input.commit = input.tail;
    waitq_wake_all(&input.readers);
    spin_unlock(&input.lock);
    poll_notify();
    return 0;
}

/* Bytes that reads can have.  Lock held. */
static unsigned input_readable(void) REQUIRES(input.lock)
{
    unsigned n = input.commit - input.head;

    if (input.termios.c_lflag & ICANON) {
        for (unsigned i = input.head; i != input.commit; i++)
            n -= input.slots[i % INPUT_SLOTS] == INPUT_EOF;
    }
    return n;
}

static long console_file_ioctl(struct file *f, unsigned cmd, uintptr_t arg)
{
    static const struct linux_winsize winsize = {.ws_row = 24, .ws_col = 80};
    struct linux_termios termios;
    int readable;

    switch (cmd) {
    case TCGETS:
        spin_lock(&input.lock);
        termios = input.termios;
        spin_unlock(&input.lock);
        return copy_to_user(arg, &termios, sizeof(termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return termios_set(arg, cmd == TCSETSF);
    case TIOCGWINSZ:
        return copy_to_user(arg, &winsize, sizeof(winsize));
    case FIONREAD:
        spin_lock(&input.lock);
        readable = (int)input_readable();
        spin_unlock(&input.lock);
        return copy_to_user(arg, &readable, sizeof(readable));
    default:
        return -ENOTTY;
    }
}

static unsigned console_file_poll(struct file *f)
{
    spin_lock(&input.lock);
    unsigned events = POLLOUT | POLLWRNORM;
    if (input.head != input.commit)
        events |= POLLIN | POLLRDNORM;
    spin_unlock(&input.lock);
    return events;
}

const struct file_ops console_file_ops = {
    .read = console_file_read,
    .write = console_file_write,
    .ioctl = console_file_ioctl,
    .poll = console_file_poll,
};
