/* osv's errors: small negative numbers.  They are this course's own, not the ERR_ names of
 * shoal/region.h, and only their names are meant to be used. */
#pragma once

typedef int err_t;

#define ERR_OK        0
#define ERR_FAULT     (-1) /* a bad address */
#define ERR_FUNC      (-2) /* any failure without a name of its own */
#define ERR_INVAL     (-3)
#define ERR_NOMEM     (-4)
#define ERR_EXIST     (-5)
#define ERR_NOTEXIST  (-6)
#define ERR_CHILD     (-7) /* no such child */
#define ERR_END       (-8)
#define ERR_BUSY      (-9)
#define ERR_ACCESS    (-10)
#define ERR_INTR      (-11)
#define ERR_TIMEOUT   (-12)
#define ERR_DEADLOCK  (-13)
#define ERR_OWNERDEAD (-14)
