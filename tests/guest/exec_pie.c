/* A position-independent program for the exec test: relocated pointers, and data that must be
 * writable. */
#include <string.h>

static const char *words[] = {"first", "second"}; /* needs a relocation each */
static int counter = 30;

int main(int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "word") != 0)
        return 1;
    if (strcmp(words[0], "first") != 0 || strcmp(words[1], "second") != 0)
        return 2;
    return ++counter;
}
