/* What an xv6 (RISC-V) user program may call. */
#pragma once

#include "../../common/xv6_user.h"
#include "../calls.h"
#undef XV6_CALL
