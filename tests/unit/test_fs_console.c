/* The console's line discipline, through the system calls. */
#include "fs_support.h"
#include "unit.h"

#include <arch/upcall.h>
#include <kernel/base/context.h>

static char long_line[10000];

/* A byte arrives in an interrupt. */
static void type_byte(char c)
{
    bool irq = irq_save();
    kernel_console_input(c);
    irq_restore(irq);
}

static void type(const char *s)
{
    for (; *s; s++)
        type_byte(*s);
}

static void console(void **state)
{
    char buf[64];
    struct linux_termios t;
    struct linux_pollfd pfd = {.events = POLLIN};
    long fd = SYS(open, ARG("/dev/tty"), O_RDWR | O_NONBLOCK);
    MUST(fd);
    type("hal\x7flo");
    FAILS(EAGAIN, SYS(read, fd, ARG(buf), 64));
    assert_int_equal(SYS(poll, ARG(&pfd), 1, 0), 0);
    type("\rmore\n\x04ju\x15nk\x03"
         "rest\x04");
    assert_int_equal(SYS(poll, ARG(&pfd), 1, 0), 1);
    /* ^C threw all before it away. */
    assert_int_equal(SYS(read, fd, ARG(buf), 64), 4);
    assert_memory_equal(buf, "rest", 4);
    type("hal\x7flo\rmore\n\x04");
    assert_int_equal(SYS(read, fd, ARG(buf), 3), 3);
    assert_memory_equal(buf, "hal", 3);
    assert_int_equal(SYS(read, fd, ARG(buf), 64), 2);
    assert_memory_equal(buf, "o\n", 2);
    assert_int_equal(SYS(read, fd, ARG(buf), 64), 5);
    assert_int_equal(SYS(read, fd, ARG(buf), 64), 0);
    MUST(SYS(ioctl, fd, TCGETS, ARG(&t)));
    t.c_lflag &= ~(uint32_t)(ICANON | ISIG);
    MUST(SYS(ioctl, fd, TCSETS, ARG(&t)));
    type("a\x03\x7f");
    assert_int_equal(SYS(read, fd, ARG(buf), 64), 3);
    t.c_lflag |= ICANON | ISIG;
    MUST(SYS(ioctl, fd, TCSETSF, ARG(&t)));
    /* A line longer than the ring still ends. */
    for (int i = 0; i < 5000; i++)
        type_byte('x');
    type_byte('\n');
    long n = SYS(read, fd, ARG(long_line), 10000);
    assert_int_equal(n, 4096);
    assert_int_equal(long_line[4095], '\n');
    FAILS(ENOTTY, SYS(ioctl, fd, 0x1234, ARG(buf)));
    FAILS(ESPIPE, SYS(lseek, fd, 0, SEEK_SET));
}

/* ^D right behind the bytes asked for ends that read, not the next one. */
static void console_end(void **state)
{
    char buf[600];
    long fd = SYS(open, ARG("/dev/tty"), O_RDWR | O_NONBLOCK);
    MUST(fd);
    type("abc\x04");
    assert_int_equal(SYS(read, fd, ARG(buf), 3), 3);
    FAILS(EAGAIN, SYS(read, fd, ARG(buf), 3));
    for (int i = 0; i < 512; i++)
        type_byte('x');
    type("\x04next\n");
    assert_int_equal(SYS(read, fd, ARG(buf), 600), 512);
    assert_int_equal(SYS(read, fd, ARG(buf), 600), 5);
    type("abcd\x04\x04");
    assert_int_equal(SYS(read, fd, ARG(buf), 3), 3);
    assert_int_equal(SYS(read, fd, ARG(buf), 3), 1);
    assert_int_equal(SYS(read, fd, ARG(buf), 3), 0);
    type("abc\n\x04");
    assert_int_equal(SYS(read, fd, ARG(buf), 4), 4);
    assert_int_equal(SYS(read, fd, ARG(buf), 4), 0);
    FAILS(EAGAIN, SYS(read, fd, ARG(buf), 3));
}

/* 0 in c_cc is no character: a NUL is an ordinary byte then. */
static void console_no_character(void **state)
{
    char buf[8];
    struct linux_termios t;
    long fd = SYS(open, ARG("/dev/tty"), O_RDWR | O_NONBLOCK);
    MUST(fd);
    MUST(SYS(ioctl, fd, TCGETS, ARG(&t)));
    struct linux_termios none = t;
    none.c_cc[VINTR] = none.c_cc[VERASE] = none.c_cc[VKILL] = none.c_cc[VEOF] = 0;
    MUST(SYS(ioctl, fd, TCSETSF, ARG(&none)));
    type("ab");
    type_byte('\0');
    type("\n");
    assert_int_equal(SYS(read, fd, ARG(buf), 8), 4);
    assert_memory_equal(buf, "ab\0\n", 4);
    MUST(SYS(ioctl, fd, TCSETSF, ARG(&t)));
}

/* A ^D is nothing that can be read, but a NUL once lines do not count. */
static void console_end_unread(void **state)
{
    char buf[8];
    int readable;
    struct linux_termios t;
    long fd = SYS(open, ARG("/dev/tty"), O_RDWR | O_NONBLOCK);
    MUST(fd);
    type("ab\x04");
    MUST(SYS(ioctl, fd, FIONREAD, ARG(&readable)));
    assert_int_equal(readable, 2);
    assert_int_equal(SYS(read, fd, ARG(buf), 2), 2);
    type("\x04");
    MUST(SYS(ioctl, fd, FIONREAD, ARG(&readable)));
    assert_int_equal(readable, 0);
    MUST(SYS(ioctl, fd, TCGETS, ARG(&t)));
    t.c_lflag &= ~(uint32_t)ICANON;
    MUST(SYS(ioctl, fd, TCSETS, ARG(&t)));
    MUST(SYS(ioctl, fd, FIONREAD, ARG(&readable)));
    assert_int_equal(readable, 1);
    assert_int_equal(SYS(read, fd, ARG(buf), 8), 1);
    assert_int_equal(buf[0], 0);
    t.c_lflag |= ICANON;
    MUST(SYS(ioctl, fd, TCSETSF, ARG(&t)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(console, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(console_end, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(console_no_character, fs_setup, fs_teardown),
        cmocka_unit_test_setup_teardown(console_end_unread, fs_setup, fs_teardown),
    };
    return cmocka_run_group_tests(tests, fs_group_setup, NULL);
}
