/* Contents of FXSAVE areas. */
#include "fpu.h"
#include <lib/string.h>

#define OFFSET_FCW        0
#define OFFSET_MXCSR      24
#define OFFSET_MXCSR_MASK 28
#define FCW_INITIAL       0x037f
#define MXCSR_INITIAL     0x1f80
#define MXCSR_MASK_OLD    0xffbf /* of a CPU that stores 0 */

static void put(uint8_t *area, unsigned offset, uint32_t value, size_t bytes)
{
    memcpy(area + offset, &value, bytes);
}

static uint32_t get(const uint8_t *area, unsigned offset)
{
    uint32_t value;
    memcpy(&value, area + offset, sizeof(value));
    return value;
}

void fpu_reset(uint8_t *area)
{
    memset(area, 0, FPU_BYTES);
    put(area, OFFSET_FCW, FCW_INITIAL, 2);
    put(area, OFFSET_MXCSR, MXCSR_INITIAL, 4);
}

void fpu_sanitize(uint8_t *area)
{
    uint8_t own[FPU_BYTES] __attribute__((aligned(16)));
    fpu_save(own);
    uint32_t mask = get(own, OFFSET_MXCSR_MASK);
    if (mask == 0)
        mask = MXCSR_MASK_OLD;
    put(area, OFFSET_MXCSR, get(area, OFFSET_MXCSR) & mask, 4);
}
