/* struct uspinlock, uacquire, urelease. */
#pragma once

#include <shoal/uspinlock.h>
