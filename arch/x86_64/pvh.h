/* What the PVH boot protocol hands over. */
#pragma once

#include <arch/boot.h>

/* Fills bootinfo from the start_info at `paddr`, trusting none of it.  The address of the RSDP, or
 * 0. */
paddr_t pvh_parse(paddr_t paddr);
