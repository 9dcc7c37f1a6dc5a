/* Names of the region calls' results, for messages. */
#include <shoal/region.h>

const char *shoal_errname(err_t err)
{
    switch (err) {
    case ERR_OK:
        return "ERR_OK";
    case ERR_NOTEXIST:
        return "ERR_NOTEXIST";
    case ERR_INTR:
        return "ERR_INTR";
    case ERR_NOMEM:
        return "ERR_NOMEM";
    case ERR_ACCESS:
        return "ERR_ACCESS";
    case ERR_FAULT:
        return "ERR_FAULT";
    case ERR_BUSY:
        return "ERR_BUSY";
    case ERR_EXIST:
        return "ERR_EXIST";
    case ERR_INVAL:
        return "ERR_INVAL";
    case ERR_DEADLOCK:
        return "ERR_DEADLOCK";
    case ERR_TIMEOUT:
        return "ERR_TIMEOUT";
    case ERR_OWNERDEAD:
        return "ERR_OWNERDEAD";
    default:
        return "ERR_?";
    }
}
