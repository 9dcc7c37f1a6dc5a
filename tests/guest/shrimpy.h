/* What tests of Shrimpy's pages need. */
#pragma once

#include <sys/mman.h>

#include <abi/zone.h>

#include "doors.h"
#include "probe.h"

CHECK_UNUSED static volatile char *const fry = (volatile char *)FRY;
CHECK_UNUSED static volatile char *const shrimp = (volatile char *)SHRIMP;

/* Pages in the table but for the main program's, which every case could touch. */
CHECK_UNUSED static unsigned fry_pages(void)
{
    return door_count("fry") - 1;
}
