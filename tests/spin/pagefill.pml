/* How a page of a store comes, is mapped, and goes: several faulters, a file that is cut and grows
 * again, an unmap, and a fill that may fail.
 *
 * Stands for:
 *   kernel/mm/memstore.c: begin_fill fill_page get_page memstore_page memstore_page_cached take_page
 *                         memstore_put unmap_tail cut_tail memstore_resize
 *   kernel/mm/fault.c: slot_unchanged still_there install_private install_cached copy_page
 *                      find_cached store_absent fault_pass fetch_wanted vm_fault
 *   kernel/mm/map.c: vmrange_clear addrspace_unmap
 *
 * One store of one page that promises its memory, mapped by address space 0 (shared, two threads)
 * and 1 (shared or private, as `private` is chosen).  Frames are numbered from 1; 0 is none.  A
 * spin lock is an atomic step where all that is touched belongs to it, and a variable where others
 * look meanwhile. */
#define FRAMES  4
#define SPACES  2
#define THREADS 4 /* three faulters; the last is the one who cuts */
#define CUTTER  3

/* Frames (kernel/phys). */
byte pins[FRAMES + 1];
bool is_ready[FRAMES + 1];    /* contents valid */
bool is_promised[FRAMES + 1]; /* page->promised */
byte cut_seen[FRAMES + 1];    /* ghost: how many cuts came before the contents */
short available = FRAMES - 2; /* one is promised to the store, one to another store */

/* The store. */
byte npages = 1;
byte cache;
bool busy;
byte cuts;
byte refs = 3; /* two mappings and an open file */
byte promised = 1;
bool s_held, rmap_held, released;
bool waits[THREADS]; /* asleep on store->filled */

/* Address spaces. */
byte pte[SPACES];
bool pt_held[SPACES];
bool has_region[SPACES] = true;
bool linked[SPACES] = true; /* in store->regions */
byte readers[SPACES];
bool writer[SPACES];
bool private;

bool cutting; /* ghost: between lower npages and the return of the resize */
byte ncuts;   /* ghost */
byte running = THREADS;

#define is_free(f) (pins[f] == 0)
#define nfree      (is_free(1) + is_free(2) + is_free(3) + is_free(4))

/* A7: for all who were promised a frame, this store and the other, there is one.  (A frame is never
 * given away on a promise that counts twice.) */
#define promises_hold (nfree >= available + promised + 1)

/* page_alloc, memory given: a frame that is free. */
inline take_frame(f)
{
    if
    :: is_free(1) -> f = 1
    :: else -> if
        :: is_free(2) -> f = 2
        :: else -> if
            :: is_free(3) -> f = 3
            :: else -> if
                :: is_free(4) -> f = 4
                :: else -> f = 0
               fi
           fi
       fi
    fi;
    if
    :: f -> pins[f] = 1; is_ready[f] = false; is_promised[f] = false
    :: else
    fi
}

inline unpin(f)
{
    d_step {
        assert(pins[f] > 0);
        pins[f]--;
        if
        :: pins[f] == 0 -> available++
        :: else
        fi
    }
}

/* waitq_wake_all(&store->filled) */
inline wake_all()
{
    waits[0] = false; waits[1] = false; waits[2] = false; waits[3] = false
}

/* ---- the fault */

#define as_lock_read(a)  atomic { !writer[a] -> readers[a]++ }
#define as_done_read(a)  readers[a]--
#define as_lock_write(a) atomic { !writer[a] && readers[a] == 0 -> writer[a] = true }
#define as_done_write(a) writer[a] = false

/* What still_there() of fault.c asks under pt_lock. */
#ifdef MUTATE_SIZE_ONLY /* the size, which may have gone down and up again */
#define still_there(c) (npages == 1)
#elif defined(MUTATE_NO_RECHECK)
#define still_there(c) true
#else
#define still_there(c) (cuts == c)
#endif

/* Enters `f`, pinned for the entry, if the entry is as it was: absent. */
inline install(a, f, c)
{
    atomic { !pt_held[a] -> pt_held[a] = true };
    if
    :: still_there(c) -> inside = true
    :: else -> inside = false
    fi;
    atomic {
        if
        :: inside && pte[a] == 0 -> pte[a] = f
        :: else -> unpin(f)
        fi;
        pt_held[a] = false
    }
}

/* copy_page: a private page with the same contents takes the place of `f`. */
inline copy_and_install(a, f, c)
{
    atomic {
        if
        :: available > 0 -> available--; take_frame(copy);
            assert(copy)
        :: else -> copy = 0
        fi
    };
    if
    :: copy ->
        atomic { assert(is_ready[f]); is_ready[copy] = true; cut_seen[copy] = cut_seen[f] };
        install(a, copy, c)
    :: else -> result = GONE
    fi;
    atomic { unpin(f); f = 0; copy = 0 }
}

/* The instruction runs again: what does it reach? */
inline use(a)
{
    atomic {
        if
        :: pte[a] ->
            /* A6 */ assert(pins[pte[a]] > 0);
            /* A1: zeros or what was written, never a frame that is being filled */
            assert(is_ready[pte[a]]);
            /* A1: one frame in every mapping */
            assert(cutting || (private && a == 1) || (pte[a] == cache && !busy));
            /* P2: what was cut off does not come back */
            assert(cutting || cut_seen[pte[a]] == ncuts);
            result = USED
        :: else -> result = AGAIN
        fi
    }
}

mtype = { AGAIN, USED, GONE, WANTED };

/* memstore_page: the page in the cache, with a pin, or f = 0. */
inline memstore_page(me, f)
{
    do
    :: atomic {
        !s_held ->
        if
        :: npages == 0 -> f = 0; fills = false; break
        :: npages && cache && busy -> waits[me] = true
        :: npages && cache && !busy -> f = cache; fills = false; pins[f]++;
            assert(is_ready[f]); break
        :: npages && !cache -> take_frame(f);
            /* A7 */ assert(promised > 0 && f);
            is_promised[f] = true; promised--; assert(promises_hold); cache = f; busy = true; fills = true; break
        fi
       };
       atomic { !waits[me] } /* woken; looks again */
    od;
    if
    :: fills ->
        if /* ops->fill */
        :: is_ready[f] = true; cut_seen[f] = ncuts
        :: skip
        fi;
        fill_settles(f)
    :: else
    fi
}

/* fill_page, when ops->fill is back. */
inline fill_settles(f)
{
    atomic {
        !s_held ->
        assert(cache == f && busy); /* filled once, by one */
        busy = false;
        if
        :: is_ready[f] -> pins[f]++
        :: else -> cache = 0; promised++;
#ifndef MUTATE_LATE_PROMISE
            available--; unpin(f); f = 0
#endif
        fi;
#ifndef MUTATE_NO_WAKE
        wake_all()
#endif
    };
#ifdef MUTATE_LATE_PROMISE
    if
    :: f && !is_ready[f] -> available--; unpin(f); f = 0
    :: else
    fi
#endif
}

/* memstore_put */
inline put_store(p)
{
    atomic { assert(refs > 0); refs--; last = (refs == 0) };
    if
    :: last ->
        atomic { !s_held -> assert(!busy); p = cache; cache = 0 };
        if
        :: p -> unpin(p); p = 0
        :: else
        fi;
        atomic { available = available + promised; promised = 0; released = true; last = false;
            assert(!linked[0] && !linked[1] && !pte[0] && !pte[1]) }
    :: else
    fi
}

proctype Faulter(byte me; byte a)
{
    byte f, c, copy;
    bool inside, fills, last;
    mtype result = AGAIN;
    do
    :: result == AGAIN ->
        as_lock_read(a);
        if
        :: !has_region[a] -> result = GONE
        :: else ->
            c = cuts;
            if
            :: atomic { !pt_held[a] && pte[a] -> result = USED } /* spurious */
            :: atomic { !pt_held[a] && !pte[a] ->
                if
                :: npages == 0 -> result = GONE
                :: else -> result = WANTED
                fi }
            fi
        fi;
        if
        :: result == WANTED ->
            atomic { /* memstore_page_cached */
                !s_held ->
                if
                :: cache && !busy -> f = cache; pins[f]++
                :: else -> f = 0
                fi
            };
            if
            :: f && private && a == 1 -> result = USED; copy_and_install(a, f, c)
            :: f && !(private && a == 1) -> result = USED; install(a, f, c); f = 0
            :: !f -> assert(refs > 0 && !released); refs++
            fi
        :: else
        fi;
        as_done_read(a);
        if
        :: result == WANTED -> /* fetch_wanted */
            memstore_page(me, f);
            if
            :: f -> atomic { unpin(f); f = 0; result = AGAIN }
            :: else -> result = GONE
            fi;
            put_store(f)
        :: result == USED -> use(a)
        :: result == GONE
        fi
    :: else -> break
    od;
    atomic { f = 0; c = 0; running-- }
}

/* ---- taking pages away */

#define rmap_lock()   atomic { !rmap_held -> rmap_held = true }
#define rmap_unlock() rmap_held = false

/* pt_clear; the flush between is tlb.pml. */
inline clear_entry(a, x)
{
    atomic { !pt_held[a] -> x = pte[a]; pte[a] = 0 };
    if
    :: x -> unpin(x); x = 0
    :: else
    fi
}

/* memstore_resize to no page, and back to one. */
proctype Cutter()
{
    byte p, absent;
    bool last;
    rmap_lock();
    atomic { !s_held -> s_held = true };
    atomic { npages = 0; cutting = true };
    cuts++;
    s_held = false;
    absent = 1;
    do /* take_page */
    :: atomic { !s_held && !busy -> p = cache; cache = 0; break }
#ifndef MUTATE_CUT_BUSY
    :: atomic { !s_held && busy -> waits[CUTTER] = true }; !waits[CUTTER]
#else
    :: atomic { !s_held && busy -> p = cache; cache = 0; break }
#endif
    od;
    if
    :: p -> absent = absent - is_promised[p]; unpin(p); p = 0
    :: else
    fi;
    atomic { !s_held -> assert(promised >= absent); promised = promised - absent };
    atomic { available = available + absent; absent = 0 };
    if
    :: linked[0] -> clear_entry(0, p)
    :: else
    fi;
    if
    :: linked[1] -> clear_entry(1, p)
    :: else
    fi;
    atomic {
        /* P2: nothing of it is mapped any more, private copies included */
        assert(!pte[0] && !pte[1] && !cache);
        ncuts++;
        cutting = false;
        rmap_held = false
    };
    rmap_lock();
    atomic { /* pmem_promise, then npages */
        if
        :: available > 0 && !s_held -> available--; promised++; npages = 1
        :: available <= 0 || s_held
        fi
    };
    rmap_unlock();
    put_store(p); /* the file is closed */
    running--
}

/* addrspace_unmap, and addrspace_put of what is left. */
inline unmap(a, p)
{
    as_lock_write(a);
    if
    :: has_region[a] ->
        has_region[a] = false;
#ifndef MUTATE_UNLINK_FIRST
        clear_entry(a, p);
#endif
        rmap_lock();
        linked[a] = false;
        rmap_unlock();
#ifdef MUTATE_UNLINK_FIRST
        clear_entry(a, p);
#endif
        as_done_write(a);
        assert(pte[a] == 0); /* A6 */
        put_store(p)
    :: else -> as_done_write(a)
    fi
}

proctype Unmapper()
{
    byte p;
    bool last;
    unmap(1, p);
    running == 0;
    unmap(0, p);
    /* A4: nothing is left, and nothing was freed twice */
    assert(released && pins[1] + pins[2] + pins[3] + pins[4] == 0);
    assert(promised == 0 && available == FRAMES - 1)
}

init
{
    atomic {
        if
        :: private = true
        :: skip
        fi;
        run Faulter(0, 0);
#ifdef FILL_ONLY
        run Faulter(1, 0);
        run Faulter(2, 1);
        refs--; running--;
#else
        if
        :: run Faulter(1, 0)
        :: run Faulter(1, 1)
        fi;
        running--;
        run Cutter();
#endif
        run Unmapper()
    }
}

/* Who waits for a busy page is woken. */
ltl woken { [] (waits[0] -> <> !waits[0]) && [] (waits[CUTTER] -> <> !waits[CUTTER]) }
