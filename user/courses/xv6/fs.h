#pragma once

#define ROOTINO 1
#define BSIZE   512
#define DIRSIZ  14

struct dirent {
    unsigned short inum;
    char name[DIRSIZ];
};
