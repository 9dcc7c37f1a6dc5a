/* read_file PATH: reads a file to its end. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char buf[256];
    ssize_t n;
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;

    if (fd < 0)
        return 98;
    while ((n = read(fd, buf, sizeof buf)) > 0)
        ;
    return n < 0 ? 97 : 0;
}
