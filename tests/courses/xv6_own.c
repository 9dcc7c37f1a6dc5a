/* A program with functions of its own where a C library has some, in old C: no types, K&R
 * parameters. */
#include "types.h"
#include "user.h"

void *memcpy(void *to, const void *from, uint n)
{
    char *a = to;
    const char *b = from;

    while (n-- > 0)
        *a++ = *b++;
    return to;
}

char *strcat(char *to, char *from)
{
    strcpy(to + strlen(to), from);
    return to;
}

void putc(int fd, char c)
{
    write(fd, &c, 1);
}

static char text[8];

main(argc, argv) int argc;
char **argv;
{
    int errno = later(argc);

    memcpy(text, "ab", 3);
    strcat(text, "cd");
    putc(1, '=');
    printf(1, "%s %d %q\n", text, errno);
    if (strcmp(text, "abcd") != 0 || errno != 2)
        *(volatile int *)0 = 0;
    exit();
}

later(x)
{
    return x + 1;
}
