/* The machine that kernel/base and kernel/phys run on in unit tests: one Linux process.  Its CPUs
 * are POSIX threads; its physical memory is an arena; its console is a
 * buffer. */
#pragma once

#include <arch/boot.h>
#include <lib/util.h>

/* What the console got since the last host_console_clear(), NUL-terminated. */
const char *host_console(void);
void host_console_clear(void);

/* Puts an arena of `bytes` below the direct map: physical addresses 0 .. bytes. */
void host_arena_make(size_t bytes);

/* An arena, and pmem on all of it but `reserved_bytes` at its start.  Once a process. */
void host_memory_init(size_t bytes, size_t reserved_bytes);

/* Runs fn(arg) in a child process.  The exit code: an EXIT_CODE_* when the kernel powered off, 0
 * when fn returned, 255 after a signal, another when a sanitizer ended it.  The child's
 * console and stderr are in host_console() afterwards. */
int host_run_forked(void (*fn)(void *arg), void *arg);

/* Fails the test unless fn(arg) panics with `text` in what it prints. */
void host_expect_panic(void (*fn)(void *arg), void *arg, const char *text);

/* Fails the test unless the address sanitizer ends fn(arg) with a report that has `text`. */
void host_expect_report(void (*fn)(void *arg), void *arg, const char *text);

/* For what tests do behind the sanitizer's back. */
#define UNWATCHED __attribute__((no_sanitize("address"), noinline))

/* Called in spin loops, when not NULL: what another CPU does meanwhile. */
extern void (*host_while_waiting)(void);

/* Runs fn(cpu) on `cpus` threads at once, each with its number. */
void host_run_cpus(unsigned cpus, void (*fn)(unsigned cpu));
