/* What an osv user program may ask of the kernel.  Every call answers ERR_OK, or a number that is
 * not negative, or one of the ERR_ numbers. */
#pragma once

#include <lib/errcode.h>
#include <lib/stddef.h>

#define OSV_CALL(type, name, args, attribute) type name args __asm__("osv_" #name) attribute;
#include <lib/calls.h>
#undef OSV_CALL

#define FS_RDONLY 0x000
#define FS_WRONLY 0x001
#define FS_RDWR   0x002
#define FS_CREAT  0x200

/* createSharedRegion: how long it lives (R4). */
#define RS_DEFAULT 0
#define RS_PERSIST 1
