#pragma once

#define T_DIR  1
#define T_FILE 2
#define T_DEV  3

struct stat {
    short type;
    int dev;
    unsigned int ino;
    short nlink;
    unsigned int size;
};
