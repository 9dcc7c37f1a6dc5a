/* Mode bits against credentials. */
#include <abi/linux_fs.h>
#include <kernel/fs/cred.h>

const struct cred cred_root;

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
    if (cred->egid == gid)
        return true;
    for (unsigned i = 0; i < cred->ngroups; i++) {
        if (cred->groups[i] == gid)
            return true;
    }
    return false;
}

bool cred_may(const struct cred *cred, uint32_t uid, uint32_t gid, uint32_t mode, unsigned want)
{
    if (cred->euid == 0)
        return !(want & MAY_EXEC) || S_ISDIR(mode) || (mode & 0111) != 0;
    /* The first class that fits decides, even when a later one would allow more. */
    if (cred->euid == uid)
        mode >>= 6;
    else if (cred_in_group(cred, gid))
        mode >>= 3;
    return (want & ~mode & 7u) == 0;
}
