/* Futexes.  One lock for all of them: what is done under it is a few list steps. */
#include <kernel/base/usercopy.h>
#include <kernel/proc/futex.h>

#include "proc.h"

#include <lib/hash.h>

#define BUCKETS 64

/* A word, whoever looks: a place in a store, or an address of an address space.  No reference: who
 * sleeps must not keep memory that is nobody's any more (A7). */
struct futex_key {
    uint64_t id; /* of the store or the address space */
    uint64_t offset;
};

/* A thread asleep in futex_wait, on its stack.  All fields: futex_lock. */
struct futex_waiter {
    struct list node;
    struct futex_key key;
    uint32_t bitset;
    bool woken;
    struct waitq wake;
};

static struct spinlock futex_lock = SPINLOCK_INIT("futex", RANK_FUTEX);
static struct list
    buckets[BUCKETS] GUARDED_BY(futex_lock); /* futex_lock; all zero until first used */

static err_t key_get(uintptr_t addr, struct futex_key *key)
{
    struct addrspace *as = process_current()->as;
    if (!IS_ALIGNED(addr, sizeof(uint32_t)))
        return -EINVAL;
    err_t err = addrspace_locate(as, addr, &key->id, &key->offset);
    uint32_t word;
    if (err && copy_from_user(&word, addr, sizeof word) == 0) /* a page that a touch maps (S1) */
        err = addrspace_locate(as, addr, &key->id, &key->offset);
    return err;
}

static bool key_same(const struct futex_key *a, const struct futex_key *b)
{
    return a->id == b->id && a->offset == b->offset;
}

/* futex_lock held. */
static struct list *bucket_of(const struct futex_key *key) REQUIRES(futex_lock)
{
    uint64_t words[] = {key->id, key->offset};
    struct list *bucket = &buckets[hash_bytes(HASH_SEED, words, sizeof words) % BUCKETS];
    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

/* Takes futex_lock with the word at `addr` read under it.  -EFAULT: not taken.  Like
 * lock_and_change not analysed: the analysis knows no function of two outcomes from inside. */
static err_t lock_and_load(uintptr_t addr, uint32_t *value)
    TRY_ACQUIRE(0, futex_lock) NO_THREAD_SAFETY_ANALYSIS
{
    for (;;) {
        spin_lock(&futex_lock);
        if (user_load_u32(addr, value) == 0)
            return 0;
        spin_unlock(&futex_lock);
        if (vm_fault(process_current()->as, addr, VP_READ) != FAULT_DONE)
            return -EFAULT;
    }
}

err_t futex_wait(uintptr_t addr, uint32_t value, uint32_t bitset, uint64_t deadline_ns)
{
    struct futex_waiter w = {.bitset = bitset};
    uint32_t now;
    if (bitset == 0)
        return -EINVAL;
    err_t err = key_get(addr, &w.key);
    if (err)
        return err;
    waitq_init(&w.wake);
    err = lock_and_load(addr, &now);
    if (!err) {
        err = now == value ? 0 : -EAGAIN;
        if (!err) {
            list_push_back(bucket_of(&w.key), &w.node);
            err = waitq_sleep(&w.wake, &futex_lock, SLEEP_INTERRUPTIBLE, deadline_ns);
            if (w.woken)
                err = 0;
            else
                list_remove(&w.node);
        }
        spin_unlock(&futex_lock);
    }
    return err;
}

/* futex_lock held. */
static unsigned wake_key(const struct futex_key *key, unsigned max, uint32_t bitset)
    REQUIRES(futex_lock)
{
    unsigned n = 0;
    list_for_each_safe (node, bucket_of(key)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (n == max)
            break;
        if (!key_same(&w->key, key) || !(w->bitset & bitset))
            continue;
        list_remove(&w->node);
        w->woken = true;
        waitq_wake_one(&w->wake);
        n++;
    }
    return n;
}

long futex_wake(uintptr_t addr, unsigned max, uint32_t bitset)
{
    struct futex_key key;
    if (bitset == 0)
        return -EINVAL;
    err_t err = key_get(addr, &key);
    if (err)
        return err;
    spin_lock(&futex_lock);
    unsigned n = wake_key(&key, max, bitset);
    spin_unlock(&futex_lock);
    return n;
}

/* Moves waiters from one word to another.  futex_lock held. */
static unsigned move_key(const struct futex_key *from, const struct futex_key *to, unsigned max)
    REQUIRES(futex_lock)
{
    unsigned n = 0;
    struct list *target = bucket_of(to);
    struct list moved = LIST_INIT(moved);
    list_for_each_safe (node, bucket_of(from)) {
        struct futex_waiter *w = list_entry(node, struct futex_waiter, node);
        if (n == max)
            break;
        if (!key_same(&w->key, from))
            continue;
        list_remove(&w->node);
        w->key = *to;
        list_push_back(&moved, &w->node);
        n++;
    }
    list_splice_back(target, &moved);
    return n;
}

long futex_requeue(uintptr_t addr, uintptr_t to, unsigned wake, unsigned move,
                   const uint32_t *expect)
{
    struct futex_key from_key, to_key;
    uint32_t now = 0;
    err_t err = key_get(addr, &from_key);
    if (err)
        return err;
    err = key_get(to, &to_key);
    if (err)
        return err;
    long result = lock_and_load(addr, &now);
    if (result == 0) {
        if (expect && now != *expect) {
            result = -EAGAIN;
        } else {
            result = wake_key(&from_key, wake, FUTEX_ANY);
            unsigned moved = key_same(&from_key, &to_key) ? 0 : move_key(&from_key, &to_key, move);
            result += expect ? moved : 0;
        }
        spin_unlock(&futex_lock);
    }
    return result;
}

/* The encoding of FUTEX_OP(op, oparg, cmp, cmparg): 4, 12, 4 and 12 bits. */
static int32_t sign_extend_12(uint32_t value)
{
    return (int32_t)(value << 20) >> 20;
}

static bool op_apply(uint32_t op, uint32_t old, uint32_t *new)
{
    uint32_t arg = (uint32_t)sign_extend_12(op >> 12 & 0xfff);
    if (op >> 31 & 1) /* FUTEX_OP_ARG_SHIFT */
        arg = 1u << (arg & 31);
    switch (op >> 28 & 7) {
    case 0:
        *new = arg;
        return true;
    case 1:
        *new = old + arg;
        return true;
    case 2:
        *new = old | arg;
        return true;
    case 3:
        *new = old & ~arg;
        return true;
    case 4:
        *new = old ^ arg;
        return true;
    default:
        return false;
    }
}

static bool op_compare(uint32_t op, uint32_t value, bool *fits)
{
    int32_t old = (int32_t)value, arg = sign_extend_12(op & 0xfff);
    switch (op >> 24 & 15) {
    case 0:
        *fits = old == arg;
        return true;
    case 1:
        *fits = old != arg;
        return true;
    case 2:
        *fits = old < arg;
        return true;
    case 3:
        *fits = old <= arg;
        return true;
    case 4:
        *fits = old > arg;
        return true;
    case 5:
        *fits = old >= arg;
        return true;
    default:
        return false;
    }
}

/* Takes futex_lock and changes the word under it; *old is what it was.  On failure not taken. */
static err_t lock_and_change(uintptr_t addr, uint32_t op, uint32_t *old)
    TRY_ACQUIRE(0, futex_lock) NO_THREAD_SAFETY_ANALYSIS
{
    for (;;) {
        uint32_t seen, new;
        err_t err = lock_and_load(addr, &seen);
        if (err)
            return err;
        if (!op_apply(op, seen, &new)) {
            spin_unlock(&futex_lock);
            return -ENOSYS;
        }
        *old = seen;
        err = user_cas_u32(addr, &seen, new);
        if (!err && seen == *old)
            return 0;
        spin_unlock(&futex_lock);
        if (err && vm_fault(process_current()->as, addr, VP_WRITE) != FAULT_DONE)
            return -EFAULT;
    }
}

long futex_wake_op(uintptr_t addr, uintptr_t to, unsigned wake, unsigned wake_to, uint32_t op)
{
    struct futex_key key, to_key;
    uint32_t old;
    bool fits;
    if (!op_compare(op, 0, &fits))
        return -ENOSYS;
    err_t err = key_get(addr, &key);
    if (err)
        return err;
    err = key_get(to, &to_key);
    if (err)
        return err;
    long result = lock_and_change(to, op, &old);
    if (result == 0) {
        op_compare(op, old, &fits);
        result = wake_key(&key, wake, FUTEX_ANY);
        if (fits)
            result += wake_key(&to_key, wake_to, FUTEX_ANY);
        spin_unlock(&futex_lock);
    }
    return result;
}

#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3fffffffu
#define ROBUST_MAX       2048 /* a list may be damaged, or a ring */

/* struct robust_list_head of uapi/linux/futex.h. */
struct robust_head {
    uint64_t next;
    int64_t offset;
    uint64_t pending;
};

/* Marks one lock if the dead thread holds it.  A lock that is being taken or released (`pending`)
 * and that nobody holds may have been released before its waiters were told, or the thread may have
 * died of what it was woken for, be it another owner's death: then the next of them is woken. */
static void robust_release(uintptr_t addr, int tid, bool pending)
{
    uint32_t seen, value;
    bool faulted;
    do {
        while (user_load_u32(addr, &value))
            if (!IS_ALIGNED(addr, 4) ||
                vm_fault(process_current()->as, addr, VP_WRITE) != FAULT_DONE)
                return;
        if (pending && (value & FUTEX_TID_MASK) == 0) {
            (void)futex_wake(addr, 1, FUTEX_ANY);
            return;
        }
        if ((value & FUTEX_TID_MASK) != (uint32_t)tid)
            return;
        seen = value;
        faulted = user_cas_u32(addr, &seen, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
        if (faulted && vm_fault(process_current()->as, addr, VP_WRITE) != FAULT_DONE)
            return;
    } while (faulted || seen != value);
    if (value & FUTEX_WAITERS)
        (void)futex_wake(addr, 1, FUTEX_ANY);
}

void futex_robust_exit(uintptr_t head_addr, int tid)
{
    struct robust_head head;
    if (copy_from_user(&head, head_addr, sizeof head))
        return;
    /* Bit 0 of a pointer marks a priority-inheritance lock, which this kernel does not have. */
    uintptr_t pending = head.pending & ~1ull;
    uint64_t entry = head.next & ~1ull;
    for (unsigned n = 0; entry != head_addr && n < ROBUST_MAX; n++) {
        uint64_t next;
        bool readable = copy_from_user(&next, entry, sizeof next) == 0;
        if (entry != pending)
            robust_release(entry + (uint64_t)head.offset, tid, false);
        if (!readable)
            return;
        entry = next & ~1ull;
    }
    if (pending)
        robust_release(pending + (uint64_t)head.offset, tid, true);
}
