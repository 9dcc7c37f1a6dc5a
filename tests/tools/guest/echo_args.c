/* Prints each argument on a line of its own, in brackets; exits with their number. */
#include <abi/region.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    return argc - 1;
}
