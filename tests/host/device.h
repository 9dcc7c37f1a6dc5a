/* A backend that is part of a test (CONTRIBUTING.md, "Writing a memstore backend"): a device whose
 * fill is slow or fails, which is written back, and which may refuse to be mapped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_PAGES 8u

/* Kernel and programs see it: it is the test's own. */
struct device {
    uint8_t content[DEVICE_PAGES]; /* the first byte of each page */
    unsigned fills, saves, mappings;
    int fill_err, save_err, map_err; /* what the next ones answer */
    uint32_t filling, may_fill;      /* a slow device */
    size_t fails_at;                 /* this page (not 0) cannot be filled; meanwhile ... */
    size_t asked;                    /* ... somebody asks for this one */
    bool slow, released;
};
extern struct device device;

/* What a driver does, for programs to call. */
void device_begin(bool written_back);
long device_promise(void);
long device_map(uintptr_t at, bool shared); /* all its pages, over what is there */
long device_resize(size_t npages);
long device_page(size_t idx); /* brings it in */
long device_populate(size_t first, size_t end);
long device_resident(void);
void device_end(void); /* the driver's own reference goes */
