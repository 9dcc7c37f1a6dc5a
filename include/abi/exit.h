/* What a guest run says through QEMU's isa-debug-exit device: QEMU exits with (code << 1) | 1, so a
 * code has 7 bits. Shared by the kernel and tools/run. */
#pragma once

#define EXIT_CODE_OK 0x00 /* init exited with status 0, audit clean */
#define EXIT_CODE_STATUS                                                                           \
    0x01 /* init exited with another status: it is on the last console line, audit clean */
#define EXIT_CODE_PANIC 0x10
#define EXIT_CODE_LEAK  0x11 /* the shutdown audit found a difference */
#define EXIT_CODE_BOOT                                                                             \
    0x12 /* the boot stopped before init: bad initramfs, no init program, too little memory */
