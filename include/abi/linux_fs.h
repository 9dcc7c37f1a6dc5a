/* Files as the Linux x86-64 system call ABI has them: constants and structures of open(2), stat(2),
 * getdents64(2), fcntl(2), poll(2), statfs(2) and of the terminal's ioctls.  User programs get
 * theirs from their C library. */
#pragma once

#include <abi/linux.h>

#define NAME_MAX   255  /* bytes of one component, NUL not counted */
#define PATH_BYTES 4096 /* of a whole path, NUL counted */
#define PIPE_BUF   4096
#define IOV_MAX    1024

#define O_ACCMODE     00000003
#define O_RDONLY      00000000
#define O_WRONLY      00000001
#define O_RDWR        00000002
#define O_CREAT       00000100
#define O_EXCL        00000200
#define O_NOCTTY      00000400
#define O_TRUNC       00001000
#define O_APPEND      00002000
#define O_NONBLOCK    00004000
#define O_DSYNC       00010000
#define O_DIRECT      00040000
#define O_LARGEFILE   00100000
#define O_DIRECTORY   00200000
#define O_NOFOLLOW    00400000
#define O_NOATIME     01000000
#define O_CLOEXEC     02000000
#define O_PATH        010000000
#define O_TMPFILE_BIT 020000000

/* memfd_create(2) */
#define MFD_CLOEXEC    1u
#define MFD_NAME_BYTES 250 /* with the NUL */

#define AT_FDCWD            (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS          0x200
#define AT_REMOVEDIR        0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT     0x800
#define AT_EMPTY_PATH       0x1000

#define RENAME_NOREPLACE 1u

#define S_IFMT     0170000
#define S_IFSOCK   0140000
#define S_IFLNK    0120000
#define S_IFREG    0100000
#define S_IFBLK    0060000
#define S_IFDIR    0040000
#define S_IFCHR    0020000
#define S_IFIFO    0010000
#define S_ISUID    04000
#define S_ISGID    02000
#define S_ISVTX    01000
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISCHR(m) (((m)&S_IFMT) == S_IFCHR)

/* access(2) */
#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define F_DUPFD         0
#define F_GETFD         1
#define F_SETFD         2
#define F_GETFL         3
#define F_SETFL         4
#define F_DUPFD_CLOEXEC 1030
#define FD_CLOEXEC      1

#define UTIME_NOW  0x3fffffffl
#define UTIME_OMIT 0x3ffffffel

struct linux_stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint64_t st_nlink;
    uint32_t st_mode;
    uint32_t st_uid;
    uint32_t st_gid;
    uint32_t pad0;
    uint64_t st_rdev;
    int64_t st_size;
    int64_t st_blksize;
    int64_t st_blocks; /* of 512 bytes */
    struct linux_timespec st_atim, st_mtim, st_ctim;
    int64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64");

struct linux_statfs {
    int64_t f_type;
    int64_t f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail;
    uint64_t f_files, f_ffree;
    int32_t f_fsid[2];
    int64_t f_namelen;
    int64_t f_frsize;
    int64_t f_flags;
    int64_t f_spare[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "struct statfs of x86-64");

/* The fixed part of a directory entry; the name and its NUL follow at once, and the whole is a
 * multiple of 8. */
struct linux_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
} __attribute__((packed));
_Static_assert(sizeof(struct linux_dirent64) == 19, "struct dirent64");

/* d_type is the type part of the mode. */
#define DT_OF_MODE(mode) ((uint8_t)(((mode)&S_IFMT) >> 12))

struct linux_iovec {
    uint64_t base;
    uint64_t len;
};

struct linux_pollfd {
    int32_t fd;
    int16_t events, revents;
};
#define POLLIN     0x001
#define POLLPRI    0x002
#define POLLOUT    0x004
#define POLLERR    0x008
#define POLLHUP    0x010
#define POLLNVAL   0x020
#define POLLRDNORM 0x040
#define POLLWRNORM 0x100

#define TCGETS     0x5401
#define TCSETS     0x5402
#define TCSETSW    0x5403
#define TCSETSF    0x5404
#define TIOCGWINSZ 0x5413
#define FIONREAD   0x541b
#define FIONBIO    0x5421

struct linux_termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[19];
};
_Static_assert(sizeof(struct linux_termios) == 36, "the kernel's struct termios");

#define ICRNL  0000400 /* c_iflag */
#define OPOST  0000001 /* c_oflag */
#define ONLCR  0000004
#define CS8    0000060 /* c_cflag */
#define CREAD  0000200
#define B38400 0000017
#define ISIG   0000001 /* c_lflag */
#define ICANON 0000002
#define ECHO   0000010
#define ECHOE  0000020
#define ECHOK  0000040
#define VINTR  0 /* c_cc */
#define VERASE 2
#define VKILL  3
#define VEOF   4
#define VMIN   6

struct linux_winsize {
    uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};

/* Device numbers, small ones: (major << 8) | minor. */
#define DEV_OF(major, minor) (((uint32_t)(major) << 8) | (minor))

/* statfs.f_type */
#define RAMFS_MAGIC  0x858458f6
#define TMPFS_MAGIC  0x01021994
#define PROC_MAGIC   0x9fa0
#define PIPEFS_MAGIC 0x50495045
