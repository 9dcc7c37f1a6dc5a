#pragma once

#define ROOTINO 1
#define BSIZE   1024
#define DIRSIZ  14

struct dirent {
    unsigned short inum;
    char name[DIRSIZ];
};
