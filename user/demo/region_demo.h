/* What the producer and the consumer of the region demo share: the layout of the region, and how
 * they speak. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <shoal/region.h>

#define DEMO_REGION       "greetings"
#define DEMO_REGION_BYTES (64 * 1024)
#define DEMO_CONSUMER     "/bin/region-demo-consumer"
#define DEMO_MESSAGES     10000u
#define DEMO_SLOTS        512u
/* Messages moved for one taking of the lock: small, so that the lock changes hands often. */
#define DEMO_BATCH 16u

struct demo_message {
    uint32_t number;
    uint32_t length_bytes;
    char text[48];
};

/* The whole region.  Everything in it belongs to who holds the region lock. */
struct demo_ring {
    uint32_t consumer_ready;
    uint32_t go; /* set by the producer when it has shown the region table */
    uint32_t sent, received;
    uint64_t received_bytes;
    uint32_t received_sum;
    struct demo_message slots[DEMO_SLOTS];
};
_Static_assert(sizeof(struct demo_ring) <= DEMO_REGION_BYTES, "the ring must fit the region");

/* A small rolling checksum (FNV-1a), fed with all message texts in order. */
#define DEMO_SUM_START 2166136261u
static inline uint32_t demo_sum_add(uint32_t sum, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ (unsigned char)text[i]) * 16777619u;
    return sum;
}

/* Ends the program unless the call succeeded. */
static inline void demo_must(const char *who, const char *call, err_t err)
{
    if (err == ERR_OK)
        return;
    fprintf(stderr, "%s: %s = %s\n", who, call, shoal_errname(err));
    exit(1);
}

static inline void demo_lock(const char *who)
{
    demo_must(who, "lockRegion", lockRegion(DEMO_REGION));
}

static inline void demo_unlock(const char *who)
{
    demo_must(who, "unlockRegion", unlockRegion(DEMO_REGION));
}
