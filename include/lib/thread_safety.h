/* What clang's -Wthread-safety checks, in every build: which locks a function takes, releases or
 * needs, and which lock guards a variable.
 *
 * The analysis names a lock by the expression that leads to it (as->lock, ctable_lock).  In C a
 * field cannot name a lock beside it, so GUARDED_BY is for variables and for fields under a lock
 * that is a variable; where the lock is a field, functions say REQUIRES. */
#pragma once

#define CAPABILITY(kind)  __attribute__((capability(kind)))
#define GUARDED_BY(lock)  __attribute__((guarded_by(lock)))
#define ACQUIRE(...)      __attribute__((acquire_capability(__VA_ARGS__)))
#define ACQUIRE_READ(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define RELEASE(...)      __attribute__((release_capability(__VA_ARGS__)))
#define RELEASE_READ(...) __attribute__((release_shared_capability(__VA_ARGS__)))

/* Takes the locks when it returns `success`. */
#define TRY_ACQUIRE(success, ...) __attribute__((try_acquire_capability(success, __VA_ARGS__)))

/* The caller holds the locks, before and after. */
#define REQUIRES(...)      __attribute__((requires_capability(__VA_ARGS__)))
#define REQUIRES_READ(...) __attribute__((requires_shared_capability(__VA_ARGS__)))

/* The caller does not hold them: the function takes them, or may sleep for somebody who does. */
#define EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))

/* Tells the analysis that the lock is held; the function checks it. */
#define ASSERTS_HELD(...) __attribute__((assert_capability(__VA_ARGS__)))

/* Not checked inside; each use says why. */
#define NO_THREAD_SAFETY_ANALYSIS __attribute__((no_thread_safety_analysis))
