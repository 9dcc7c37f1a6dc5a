/* Users and groups: credentials(7), setuid(2), setreuid(2), setresuid(2), getgroups(2).  A handler
 * makes the new set whole and installs it once.  For users and groups alike, being root (an
 * effective uid of 0) is the privilege. */
#include <kernel/base/usercopy.h>
#include <kernel/proc/process.h>
#include <kernel/syscall/calls.h>

#define ID_NONE UINT32_MAX /* "leave it as it is" of the calls; no id at all elsewhere */

/* One of the two triples of a cred. */
struct ids {
    uint32_t real, effective, saved;
};

static struct ids user_ids(const struct cred *cred)
{
    return (struct ids){cred->uid, cred->euid, cred->suid};
}

static struct ids group_ids(const struct cred *cred)
{
    return (struct ids){cred->gid, cred->egid, cred->sgid};
}

static long install_users(const struct ids *ids)
{
    struct cred cred = *process_cred();
    cred.uid = ids->real;
    cred.euid = ids->effective;
    cred.suid = ids->saved;
    process_set_cred(&cred);
    return 0;
}

static long install_groups(const struct ids *ids)
{
    struct cred cred = *process_cred();
    cred.gid = ids->real;
    cred.egid = ids->effective;
    cred.sgid = ids->saved;
    process_set_cred(&cred);
    return 0;
}

static bool is_root(void)
{
    return process_cred()->euid == 0;
}

/* setuid(2), setgid(2): root gives all three up at once, others choose between real and saved. */
static err_t change_one(struct ids *ids, uint32_t id)
{
    if (id == ID_NONE)
        return -EINVAL;
    if (is_root())
        *ids = (struct ids){id, id, id};
    else if (id == ids->real || id == ids->saved)
        ids->effective = id;
    else
        return -EPERM;
    return 0;
}

/* setreuid(2), setregid(2). */
static err_t change_two(struct ids *ids, uint32_t real, uint32_t effective)
{
    struct ids old = *ids;
    bool may_real = real == ID_NONE || real == old.real || real == old.effective;
    bool may_effective = effective == ID_NONE || effective == old.real ||
                         effective == old.effective || effective == old.saved;
    if (!is_root() && !(may_real && may_effective))
        return -EPERM;
    if (real != ID_NONE)
        ids->real = real;
    if (effective != ID_NONE)
        ids->effective = effective;
    if (real != ID_NONE || (effective != ID_NONE && effective != old.real))
        ids->saved = ids->effective;
    return 0;
}

/* setresuid(2), setresgid(2). */
static err_t change_three(struct ids *ids, const unsigned long args[6])
{
    struct ids old = *ids;
    uint32_t *to[] = {&ids->real, &ids->effective, &ids->saved};
    for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
        uint32_t id = (uint32_t)args[i];
        if (id == ID_NONE)
            continue;
        if (!is_root() && id != old.real && id != old.effective && id != old.saved)
            return -EPERM;
        *to[i] = id;
    }
    return 0;
}

static long ids_to_user(const struct ids *ids, const unsigned long args[6])
{
    const uint32_t *from[] = {&ids->real, &ids->effective, &ids->saved};
    for (unsigned i = 0; i < ARRAY_LEN(from); i++)
        if (copy_to_user(args[i], from[i], sizeof *from[i]))
            return -EFAULT;
    return 0;
}

long sys_setuid(const unsigned long args[6])
{
    struct ids ids = user_ids(process_cred());
    err_t err = change_one(&ids, (uint32_t)args[0]);
    return err ? err : install_users(&ids);
}

long sys_setgid(const unsigned long args[6])
{
    struct ids ids = group_ids(process_cred());
    err_t err = change_one(&ids, (uint32_t)args[0]);
    return err ? err : install_groups(&ids);
}

/* setreuid(real, effective) */
long sys_setreuid(const unsigned long args[6])
{
    struct ids ids = user_ids(process_cred());
    err_t err = change_two(&ids, (uint32_t)args[0], (uint32_t)args[1]);
    return err ? err : install_users(&ids);
}

/* setregid(real, effective) */
long sys_setregid(const unsigned long args[6])
{
    struct ids ids = group_ids(process_cred());
    err_t err = change_two(&ids, (uint32_t)args[0], (uint32_t)args[1]);
    return err ? err : install_groups(&ids);
}

/* setresuid(real, effective, saved) */
long sys_setresuid(const unsigned long args[6])
{
    struct ids ids = user_ids(process_cred());
    err_t err = change_three(&ids, args);
    return err ? err : install_users(&ids);
}

/* setresgid(real, effective, saved) */
long sys_setresgid(const unsigned long args[6])
{
    struct ids ids = group_ids(process_cred());
    err_t err = change_three(&ids, args);
    return err ? err : install_groups(&ids);
}

/* getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved) */
long sys_getresuid(const unsigned long args[6])
{
    struct ids ids = user_ids(process_cred());
    return ids_to_user(&ids, args);
}

/* getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved) */
long sys_getresgid(const unsigned long args[6])
{
    struct ids ids = group_ids(process_cred());
    return ids_to_user(&ids, args);
}

/* getgroups(size, uint32_t *list); size 0 only asks how many. */
long sys_getgroups(const unsigned long args[6])
{
    const struct cred *cred = process_cred();
    int size = (int)args[0];
    if (size < 0 || (size > 0 && (unsigned)size < cred->ngroups))
        return -EINVAL;
    if (size > 0 && copy_to_user(args[1], cred->groups, cred->ngroups * sizeof cred->groups[0]))
        return -EFAULT;
    return cred->ngroups;
}

/* setgroups(size, const uint32_t *list) */
long sys_setgroups(const unsigned long args[6])
{
    struct cred cred = *process_cred();
    if (!is_root())
        return -EPERM;
    if (args[0] > CRED_GROUPS_MAX)
        return -EINVAL;
    if (copy_from_user(cred.groups, args[1], args[0] * sizeof cred.groups[0]))
        return -EFAULT;
    cred.ngroups = (unsigned)args[0];
    process_set_cred(&cred);
    return 0;
}

/* setfsuid(2), setfsgid(2): files are always asked for with the effective ids, so that nothing
 * changes; the answer is the id in force, as for a request that is refused. */
long sys_setfsuid(const unsigned long args[6])
{
    return process_cred()->euid;
}

long sys_setfsgid(const unsigned long args[6])
{
    return process_cred()->egid;
}
