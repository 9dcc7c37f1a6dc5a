/* What each user may have at once: shm.contexts=N and shm.pages=N, for every user but root (A7). */
#include "shmms.h"

#include <kernel/base/cmdline.h>
#include <kernel/base/panic.h>
#include <kernel/phys/kmem.h>

/* All fields: T. */
struct shm_user {
    struct list node;
    uint32_t uid;
    size_t contexts, pages;
};

static struct kmem_cache user_cache = KMEM_CACHE("shm_user", struct shm_user);
static struct list
    users GUARDED_BY(ctable_lock) = LIST_INIT(users); /* T  users that have a context: few */

static bool within(uint32_t uid, size_t contexts, size_t pages)
{
    return uid == 0 || (contexts <= cmdline_u64("shm.contexts", SIZE_MAX) &&
                        pages <= cmdline_u64("shm.pages", SIZE_MAX));
}

static struct shm_user *user_get(uint32_t uid)
{
    list_for_each (node, &users) {
        struct shm_user *u = list_entry(node, struct shm_user, node);
        if (u->uid == uid)
            return u;
    }
    struct shm_user *u = kmem_alloc(&user_cache);
    if (u) {
        u->uid = uid;
        list_push_back(&users, &u->node);
    }
    return u;
}

static void user_put(struct shm_user *u)
{
    if (u->contexts > 0)
        return;
    ASSERT(u->pages == 0);
    list_remove(&u->node);
    kmem_free(&user_cache, u);
}

err_t account_charge(uint32_t uid, size_t pages, struct shm_user **account)
{
    struct shm_user *u = user_get(uid);
    if (!u)
        return -ENOMEM;
    if (!within(uid, u->contexts + 1, u->pages + pages)) {
        user_put(u);
        return -ENOMEM;
    }
    u->contexts++;
    u->pages += pages;
    *account = u;
    return 0;
}

err_t account_resize(struct shm_user *account, size_t old_pages, size_t new_pages)
{
    if (new_pages > old_pages &&
        !within(account->uid, account->contexts, account->pages + new_pages - old_pages))
        return -ENOMEM;
    account->pages += new_pages - old_pages;
    return 0;
}

void account_release(struct shm_user *account, size_t pages)
{
    account->contexts--;
    account->pages -= pages;
    user_put(account);
}
