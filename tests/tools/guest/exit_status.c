/* exit_status N: exits with N.  exit_status signal N: dies of signal N.  exit_status never: sleeps
 * for ever.  exit_status loud: four processes print for ever. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "never") == 0) {
        for (;;)
            sleep(1000);
    }
    if (argc == 2 && strcmp(argv[1], "loud") == 0) {
        fork();
        fork();
        for (;;)
            write(1, "la\n", 3);
    }
    if (argc == 3 && strcmp(argv[1], "signal") == 0) {
        kill(getpid(), atoi(argv[2]));
        return 99;
    }
    return argc == 2 ? atoi(argv[1]) : 98;
}
