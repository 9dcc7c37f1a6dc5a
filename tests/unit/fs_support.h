/* One process with a file system, single-threaded, for tests of kernel/fs and the file calls: the
 * scheduler's locks only check their use, and sleeping fails the test. */
#pragma once

#include <abi/linux_fs.h>
#include <kernel/fs/fdtable.h>
#include <kernel/phys/failpoint.h>
#include <kernel/syscall/sys_file.h>
#include <lib/err.h>

/* Memory for the whole test program; once. */
void fs_memory_init(void);

/* Mounts an archive (or an empty root) and makes an empty process.  What mounting says. */
err_t fs_begin(const void *image, size_t bytes);

/* Ends the process, unmounts, and fails the test if a frame or an object has not come back. */
void fs_end(void);

/* These three for cmocka: setup of a group; setup and teardown of a test, with an empty root. */
int fs_group_setup(void **state);
int fs_setup(void **state);
int fs_teardown(void **state);

/* The process, for tests that become somebody else. */
struct cred *fs_cred(void);

/* Fails the n-th allocation from now on (0: none); true if the last one asked for did fail. */
bool fs_fail_nth(unsigned n);

/* How often SIGPIPE was raised. */
unsigned fs_sigpipes(void);

/* The page that begins here cannot be touched by user copies, besides the first 64 KiB, which never
 * can (NULL: none). */
void fs_set_bad_page(const void *beg);

/* A call with its arguments as the registers would have them. */
#define SYS(name, ...) fs_call(sys_##name, (const unsigned long[6]){__VA_ARGS__})
#define ARG(x)         ((unsigned long)(uintptr_t)(x))
long fs_call(long (*handler)(const unsigned long args[6]), const unsigned long args[6]);
/* What a test demands of it: 0, or this error. */
#define MUST(call)       assert_int_equal(call, 0)
#define FAILS(err, call) assert_int_equal(call, -(err))
