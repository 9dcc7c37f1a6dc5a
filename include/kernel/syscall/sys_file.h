/* The file system calls (man section 2 under their names); kernel/syscall/sys.h says what a handler
 * is. */
#pragma once

/* sys_file.c: bytes */
long sys_read(const unsigned long args[6]);
long sys_write(const unsigned long args[6]);
long sys_readv(const unsigned long args[6]);
long sys_writev(const unsigned long args[6]);
long sys_pread64(const unsigned long args[6]);
long sys_pwrite64(const unsigned long args[6]);
long sys_preadv(const unsigned long args[6]);
long sys_pwritev(const unsigned long args[6]);
long sys_lseek(const unsigned long args[6]);
long sys_sendfile(const unsigned long args[6]);
long sys_ioctl(const unsigned long args[6]);
long sys_fsync(const unsigned long args[6]);
long sys_fdatasync(const unsigned long args[6]);
long sys_sync(const unsigned long args[6]);

/* sys_fd.c: descriptors */
long sys_open(const unsigned long args[6]);
long sys_openat(const unsigned long args[6]);
long sys_creat(const unsigned long args[6]);
long sys_close(const unsigned long args[6]);
long sys_dup(const unsigned long args[6]);
long sys_dup2(const unsigned long args[6]);
long sys_dup3(const unsigned long args[6]);
long sys_pipe(const unsigned long args[6]);
long sys_pipe2(const unsigned long args[6]);
long sys_fcntl(const unsigned long args[6]);

/* sys_stat.c: looking at files */
long sys_stat(const unsigned long args[6]);
long sys_lstat(const unsigned long args[6]);
long sys_fstat(const unsigned long args[6]);
long sys_newfstatat(const unsigned long args[6]);
long sys_access(const unsigned long args[6]);
long sys_faccessat(const unsigned long args[6]);
long sys_faccessat2(const unsigned long args[6]);
long sys_statfs(const unsigned long args[6]);
long sys_fstatfs(const unsigned long args[6]);

/* sys_attr.c: changing attributes */
long sys_chmod(const unsigned long args[6]);
long sys_fchmod(const unsigned long args[6]);
long sys_fchmodat(const unsigned long args[6]);
long sys_chown(const unsigned long args[6]);
long sys_fchown(const unsigned long args[6]);
long sys_lchown(const unsigned long args[6]);
long sys_fchownat(const unsigned long args[6]);
long sys_truncate(const unsigned long args[6]);
long sys_ftruncate(const unsigned long args[6]);
long sys_umask(const unsigned long args[6]);
long sys_utimensat(const unsigned long args[6]);

/* sys_name.c: names and directories */
long sys_getdents64(const unsigned long args[6]);
long sys_getcwd(const unsigned long args[6]);
long sys_chdir(const unsigned long args[6]);
long sys_fchdir(const unsigned long args[6]);
long sys_mkdir(const unsigned long args[6]);
long sys_mkdirat(const unsigned long args[6]);
long sys_rmdir(const unsigned long args[6]);
long sys_unlink(const unsigned long args[6]);
long sys_unlinkat(const unsigned long args[6]);
long sys_rename(const unsigned long args[6]);
long sys_renameat(const unsigned long args[6]);
long sys_renameat2(const unsigned long args[6]);
long sys_link(const unsigned long args[6]);
long sys_linkat(const unsigned long args[6]);
long sys_symlink(const unsigned long args[6]);
long sys_symlinkat(const unsigned long args[6]);
long sys_readlink(const unsigned long args[6]);
long sys_readlinkat(const unsigned long args[6]);

/* sys_poll.c: waiting */
long sys_poll(const unsigned long args[6]);
long sys_select(const unsigned long args[6]);
