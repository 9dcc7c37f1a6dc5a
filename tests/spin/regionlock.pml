/* The lock of a region: who holds it may unlock it, unmap the region, exec, exit or be killed; who
 * waits may be interrupted, be too late, be killed, or see the region go.
 *
 * Stands for:
 *   kernel/fs/shmms_lock.c: shm_thread_init set_owner settle pass_on shm_thread_exit
 *                           region_lock_detached region_lock_closed find_mapped wait_for_lock
 *                           shm_lock shm_unlock
 *   kernel/fs/shmms_map.c: shm_store_unmapped
 *   kernel/proc/exit.c: uthread_leave_memory
 *
 * One region; threads 0 and 1 of address space 0, thread 2 of address space 1, and 3 to come.  A
 * thread that has ended is followed by another in the same place, with the same struct shm_thread
 * and the same number, for ever: the states are finite, the lives are not.  What is done under T is
 * one atomic step and ends in HOLDS.  A sleep is: asleep, then woken by settle(), or let go by a
 * signal, a deadline or a kill. */
#define THREADS 3
#define SPACES  2
#define NOBODY  THREADS
#define space_of(t) ((t) / 2)

mtype = { IDLE, WAITING, GRANTED, GRANTED_OWNER_DIED, REGION_GONE };
mtype = { NO_ERROR, OWNERDEAD, NOTEXIST, BUSY, DEADLOCK, INVALID, INTERRUPTED };

bool named = true;
bool attached[SPACES] = true;
byte owner = NOBODY;                /* lock_owner: a pointer, so the place and not the life */
byte lock_as;
bool owner_died;
byte queue[THREADS] = NOBODY;       /* lock_waiters, in order of arrival */
mtype result[THREADS] = IDLE;       /* struct lock_waiter of a thread in wait_for_lock */
bool asleep[THREADS];

/* Ghosts. */
bool half_written;    /* the last who held it did not unlock, and nobody has heard of it */
bool lost[THREADS];   /* was granted it, and its address space unmapped before it ran */
bool must_hear[THREADS]; /* was granted it half written, and has not run since */
bool thinks[THREADS]; /* this life was told that it holds the lock, and did not let go */

#define has_mapped(t) (named && attached[space_of(t)])

/* Whenever T is let go. */
#define RIGHT(t)                                                                                   \
    /* R9: who waits has the region mapped, and it has a name */                                    \
    ((result[t] != WAITING || (named && attached[space_of(t)] && owner != NOBODY)) &&               \
    /* R9: settled and woken are one */                                                             \
     (result[t] == WAITING || !asleep[t]) &&                                                        \
    /* R10: in this life it was told, or is about to be */                                          \
     (owner != t || thinks[t] ||                                                                    \
      (!lost[t] && (result[t] == GRANTED || result[t] == GRANTED_OWNER_DIED))))

inline HOLDS()
{
    assert(RIGHT(0) && RIGHT(1) && RIGHT(2));
    assert(owner == NOBODY || attached[lock_as])
}

/* ---- the lock; T held */

inline dequeue(t)
{
    if
    :: queue[0] == t -> queue[0] = queue[1]; queue[1] = queue[2]; queue[2] = NOBODY
    :: queue[1] == t -> queue[1] = queue[2]; queue[2] = NOBODY
    :: queue[2] == t -> queue[2] = NOBODY
    :: else -> assert(false)
    fi
}

inline settle(t, what)
{
    w = t;
    dequeue(w);
    result[w] = what;
#ifndef MUTATE_NO_WAKE
    asleep[w] = false;
#endif
    w = 0
}

/* `how` is true when the owner leaves without unlocking. */
inline pass_on(how)
{
    half_written = how;
    owner = NOBODY;
#ifndef MUTATE_FORGETS_DEATH
    owner_died = how;
#endif
    if
    :: queue[0] != NOBODY ->
#ifdef MUTATE_LAST_FIRST
        if
        :: queue[2] != NOBODY -> owner = queue[2]
        :: queue[2] == NOBODY && queue[1] != NOBODY -> owner = queue[1]
        :: else -> owner = queue[0]
        fi;
#else
        owner = queue[0];
#endif
        /* R9: in order of arrival */ assert(owner == queue[0]);
        must_hear[owner] = half_written;
        half_written = false;
        lock_as = space_of(owner);
        if
        :: how -> settle(owner, GRANTED_OWNER_DIED)
        :: else -> settle(owner, GRANTED)
        fi
    :: else -> lock_as = 0
    fi
}

inline region_lock_detached(a)
{
    do
    :: queue[0] != NOBODY && space_of(queue[0]) == a -> settle(queue[0], REGION_GONE)
    :: queue[1] != NOBODY && space_of(queue[1]) == a && space_of(queue[0]) != a ->
        settle(queue[1], REGION_GONE)
    :: queue[2] != NOBODY && space_of(queue[2]) == a && space_of(queue[1]) != a &&
       space_of(queue[0]) != a -> settle(queue[2], REGION_GONE)
    :: else -> break
    od;
    thinks[a * 2] = false; /* whoever unmaps under its threads is not told */
    if
    :: a == 0 -> thinks[1] = false
    :: else
    fi;
#ifndef MUTATE_UNMAP_KEEPS
    if
    :: owner != NOBODY && lock_as == a -> lost[owner] = (result[owner] != IDLE); pass_on(true)
    :: else
    fi
#endif
}

inline shm_thread_exit(t)
{
    atomic {
        thinks[t] = false; /* with it goes what it knew */
#ifndef MUTATE_EXIT_KEEPS
        if
        :: owner == t -> pass_on(true)
        :: else
        fi;
#endif
        HOLDS()
    }
}

/* ---- the calls.  Each ends with `err`. */

/* A thread finds the lock free. */
inline take(t)
{
    owner = t;
    lock_as = space_of(t);
    err = (owner_died -> OWNERDEAD : NO_ERROR);
    must_hear[t] = half_written;
    half_written = false;
    got_it(t)
}

/* The call returns with the lock.  If the region was unmapped between the grant and now, it is lost
 * already, as it would be a moment later. */
inline got_it(t)
{
    /* R10 */ assert((err == OWNERDEAD) == must_hear[t]);
    must_hear[t] = false;
    if
    :: owner == t -> /* R9 */ assert(!thinks[0] && !thinks[1] && !thinks[2]); thinks[t] = true
    :: else -> assert(lost[t])
    fi;
    lost[t] = false
}

/* shm_lock and wait_for_lock; a deadline of 0 is tryLockRegion. */
inline lock(t)
{
    atomic {
        if
        :: !has_mapped(t) -> err = NOTEXIST
        :: has_mapped(t) && owner == t -> err = DEADLOCK; /* R9 */ assert(thinks[t])
        :: has_mapped(t) && owner == NOBODY -> take(t)
        :: has_mapped(t) && owner != t && owner != NOBODY -> err = BUSY
        :: has_mapped(t) && owner != t && owner != NOBODY ->
            if /* (an index that looks into its own array would be undone wrongly) */
            :: queue[0] == NOBODY -> queue[0] = t
            :: queue[0] != NOBODY && queue[1] == NOBODY -> queue[1] = t
            :: queue[0] != NOBODY && queue[1] != NOBODY -> queue[2] = t
            fi;
            result[t] = WAITING;
            asleep[t] = true
        fi;
        HOLDS()
    };
    if
    :: result[t] != IDLE ->
        if
        :: atomic { !asleep[t] -> wakes(t) }
#ifndef UNINTERRUPTED
        /* A signal, the deadline; not if settle() comes before T is had again. */
        :: atomic { asleep[t] -> asleep[t] = false; wakes(t) }
#endif
#ifdef MUTATE_SIGNAL_WINS /* even then */
        :: atomic { !asleep[t] && result[t] == GRANTED -> result[t] = IDLE; err = INTERRUPTED;
            HOLDS() }
#endif
        fi
    :: else
    fi
}

/* wait_for_lock, when waitq_sleep is back with T. */
inline wakes(t)
{
    if
    :: result[t] == WAITING -> dequeue(t); err = INTERRUPTED
    :: result[t] == GRANTED -> err = NO_ERROR; got_it(t)
    :: result[t] == GRANTED_OWNER_DIED -> err = OWNERDEAD; got_it(t)
    :: result[t] == REGION_GONE -> err = NOTEXIST
    fi;
    result[t] = IDLE;
    HOLDS()
}

inline unlock(t)
{
    atomic {
        if
        :: !has_mapped(t) -> err = NOTEXIST
        :: has_mapped(t) && owner != t -> err = INVALID; /* R9 */ assert(!thinks[t])
        :: has_mapped(t) && owner == t ->
            /* R10: a life that was told nothing owns nothing */ assert(thinks[t]);
            thinks[t] = false;
            pass_on(false);
            err = NO_ERROR
        fi;
        HOLDS()
    }
}

/* The last mapping of the address space: munmap, and what is left of exec and of exit. */
inline unmap(t)
{
    atomic { attached[space_of(t)] -> attached[space_of(t)] = false;
        region_lock_detached(space_of(t));
        HOLDS()
    }
}

proctype Thread(byte t)
{
    mtype err = NO_ERROR;
    byte w;
end:
    do
#ifdef UNINTERRUPTED /* who holds it lets go some day */
    :: !thinks[t] -> lock(t); err = NO_ERROR
#else
    :: true -> lock(t); err = NO_ERROR
#endif
    :: true -> unlock(t); err = NO_ERROR
    :: unmap(t)
    :: atomic { named && !attached[space_of(t)] -> attached[space_of(t)] = true }
    :: true -> shm_thread_exit(t) /* and the next life; exec is this, then unmap */
    od
}

/* The name goes, by RS_UNLINK or with the end of a destroy (region_lock_closed). */
proctype Unlinker()
{
    byte w;
    atomic {
        named = false;
        do
        :: queue[0] != NOBODY -> settle(queue[0], REGION_GONE)
        :: else -> break
        od;
        HOLDS()
    }
}

init
{
    atomic { run Thread(0); run Thread(1); run Thread(2); run Unlinker() }
}

/* R9, R10: whoever waits is woken, with -DUNINTERRUPTED by nothing else than its turn or the end. */
ltl woken { [] (asleep[2] -> <> !asleep[2]) }
