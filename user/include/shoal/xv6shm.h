/* The xv6 course's shared pages (X1, X2).  The course calls them shm_open and shm_close, names that
 * POSIX has for something else: a course program gets them by its own headers (tools/run --as xv6).
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Maps page id (any int), made of zeros by the first who opens it, and stores its address in
 * *pointer.  Opening again gives the same address and counts.  0, or -1: 64 ids are live already,
 * no memory, or *pointer cannot be written. */
int xv6_shm_open(int id, char **pointer);

/* One open less; the last of this process unmaps the page, the last of all frees it.  0, or -1 when
 * the process has it not open. */
int xv6_shm_close(int id);

#ifdef __cplusplus
}
#endif
