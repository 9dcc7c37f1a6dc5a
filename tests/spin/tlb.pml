/* TLB shootdown, against unmap, madvise, truncation, mremap, the switch to other maps and to kernel
 * threads, and the end of the map: no CPU uses an entry of a page that is gone (A6).
 *
 * Stands for:
 *   arch/common/tlb.c: map_catch_up map_leave vpmap_activate tlb_interrupt tlb_halting
 *                      flush_this_cpu vpmap_flush tlb_evict
 *   kernel/mm/ptes.c: note_stale flush_stale clear_batch pt_clear pt_move
 *   kernel/mm/regions.c: region_move
 *   kernel/mm/remap.c: commit_move
 *   kernel/mm/memstore.c: unmap_tail
 *
 * One map with two addresses.  Address 0 shows frame 0, which a truncation takes away, and address
 * 1 frame 1, which an unmap takes away at the same time.  With -DREMAP instead of the unmap: mremap
 * moves frame 0 to address 1.  With -DDISCARD instead: madvise clears address 0 as well, and with
 * -DBOTH both: then frame 0 is what address 1 shows, the last that it looks at.  With -DEND: CPUs
 * go to other maps as well, and the map ends.  A CPU that has the map loaded may read an entry into
 * its TLB at any moment (Walker), whatever it runs.  A thread that flushes borrows a CPU, with its
 * interrupts off, for the first part of vpmap_flush; it waits without, since it may be anywhere by
 * then.
 *
 * Memory is sequentially consistent here.  On x86 that is so where it matters: all of F1, F2 and C1
 * are locked operations, and CR3, INVLPG and interrupts serialize; a store to `seen` that comes
 * late only lengthens a wait. */
#define CPUS      2
#define ADDRESSES 2
#define FRAMES    2
#ifdef REMAP
#define frame_of(v) 0
#elif defined(BOTH)
#define frame_of(v) (1 - (v))
#else
#define frame_of(v) (v)
#endif

mtype = { KERNEL, MAP, OTHER };

/* The map. */
byte gen, cpus;              /* generation; mask */
byte unflushed;
byte seen[CPUS];
bool present[ADDRESSES];     /* the page table */
bool is_freed[FRAMES];
bool root_freed;

/* CPUs. */
mtype cr3[CPUS] = KERNEL;
mtype local_map[CPUS] = KERNEL; /* cpu->map; KERNEL is NULL */
bool lazy[CPUS] = true;
bool interrupts_off[CPUS];
bool ipi[CPUS];
bool tlb[CPUS * ADDRESSES];     /* has an entry for the address */
#define has_entry(c, v) tlb[(c) * ADDRESSES + (v)]

bool rmap_held;
#ifdef BOTH
byte moved_to = 1;
#else
byte moved_to;  /* r->beg */
#endif
#ifdef END
byte flushing = 1; /* threads that still use the map from outside */
#else
byte flushing = 2;
#endif
bool exiting;   /* no thread runs in the map any more */

#define bit(c) (1 << (c))

/* A walk, or an access, that finds an entry: what it shows must be there.  The upper levels are the
 * root's. */
proctype Walker(byte c)
{
    byte v;
end:
    do
    :: atomic { cr3[c] == MAP ->
        assert(!root_freed);
        if
        :: v = 0
        :: v = 1
        fi;
        if
        :: present[v] -> has_entry(c, v) = true
        :: else
        fi;
        /* A6 */ assert(!has_entry(c, v) || !is_freed[frame_of(v)]);
        v = 0 }
    od
}

/* CR3: what was in the TLB is gone. */
inline cr3_write(c, map)
{
    d_step {
        cr3[c] = map;
        has_entry(c, 0) = false; has_entry(c, 1) = false
    }
}

inline map_catch_up(c)
{
    g = gen;
    cr3_write(c, MAP);
#ifdef MUTATE_SEEN_TOO_NEW
    seen[c] = gen;
#else
    seen[c] = g;
#endif
    g = 0
}

inline map_leave(c)
{
#ifdef MUTATE_BIT_FIRST
    if
    :: local_map[c] == MAP -> cpus = cpus & ~bit(c)
    :: else
    fi;
    cr3_write(c, KERNEL);
    local_map[c] = KERNEL
#else
    cr3_write(c, KERNEL);
    if
    :: local_map[c] == MAP -> cpus = cpus & ~bit(c)
    :: else
    fi;
    local_map[c] = KERNEL
#endif
}

/* vpmap_activate; interrupts off. */
inline activate(c, map)
{
    lazy[c] = false;
    if
    :: local_map[c] == map
    :: local_map[c] != map && map == MAP ->
#ifdef MUTATE_LOAD_FIRST
        map_catch_up(c);
        cpus = cpus | bit(c);
#else
        cpus = cpus | bit(c);
        map_catch_up(c);
#endif
        local_map[c] = MAP
    :: local_map[c] != map && map == OTHER ->
        cr3_write(c, OTHER);
        if
        :: local_map[c] == MAP -> local_map[c] = OTHER; cpus = cpus & ~bit(c)
        :: else -> local_map[c] = OTHER
        fi
    fi
}

/* May it go to another thread?  With -DBOUNDED=n only n times: then all there is left to do is to take
 * interrupts, which it does some day. */
#ifdef BOUNDED
#define may_go(c) (!interrupts_off[c] && steps < BOUNDED)
#define count     steps++
#else
#define may_go(c) (!interrupts_off[c])
#define count     skip
#endif

/* What a CPU does: it takes interrupts, goes from thread to thread, halts. */
proctype Cpu(byte c)
{
    byte g;
#ifdef BOUNDED
    byte steps;
#endif
end:
    do
    :: atomic { ipi[c] && !interrupts_off[c] -> ipi[c] = false; interrupts_off[c] = true };
        /* tlb_interrupt */
        if
        :: local_map[c] == KERNEL || (local_map[c] == OTHER && !lazy[c])
        :: local_map[c] != KERNEL && lazy[c] -> map_leave(c)
        :: local_map[c] == MAP && !lazy[c] -> map_catch_up(c)
        fi;
        interrupts_off[c] = false
    :: atomic { may_go(c) && !exiting && (lazy[c] || local_map[c] != MAP) ->
            interrupts_off[c] = true; count };
        if
        :: !exiting -> activate(c, MAP)
        :: else
        fi;
        interrupts_off[c] = false
#ifdef END
    :: atomic { may_go(c) && (lazy[c] || local_map[c] != OTHER) ->
            interrupts_off[c] = true; count };
        activate(c, OTHER);
        interrupts_off[c] = false
#endif
    :: atomic { may_go(c) && !lazy[c] -> lazy[c] = true; count } /* a kernel thread, the idle one */
    :: atomic { may_go(c) && lazy[c] && local_map[c] != KERNEL ->
            interrupts_off[c] = true; count };
        map_leave(c); /* tlb_halting */
        interrupts_off[c] = false
    od
}

/* interrupt_cpus */
inline interrupt_others(mask)
{
    d_step {
        if
        :: mask & 1 -> ipi[0] = true
        :: else
        fi;
        if
        :: mask & 2 -> ipi[1] = true
        :: else
        fi
    }
}

/* vpmap_flush of what lies from `first` to `last`, on any CPU. */
inline flush(first, last)
{
    if
    :: atomic { !interrupts_off[0] -> interrupts_off[0] = true; c = 0 }
    :: atomic { !interrupts_off[1] -> interrupts_off[1] = true; c = 1 }
    fi;
    atomic { gen++; mine = gen };
    if
    :: local_map[c] == MAP ->
        if /* flush_this_cpu */
        :: seen[c] >= mine
        :: seen[c] < mine && seen[c] + 1 != mine -> map_catch_up(c)
        :: seen[c] + 1 == mine ->
            has_entry(c, first) = false; has_entry(c, last) = false; seen[c] = mine
#ifdef MUTATE_ONE_FOR_ALL
        :: seen[c] + 1 < mine -> has_entry(c, first) = false; seen[c] = mine
#endif
        fi
    :: else
    fi;
    others = cpus & ~bit(c);
#ifndef MUTATE_NO_INTERRUPT
    interrupt_others(others);
#endif
    interrupts_off[c] = false;
#ifndef MUTATE_NO_WAIT
    !(others & 1) || !(cpus & 1) || seen[0] >= mine;
    !(others & 2) || !(cpus & 2) || seen[1] >= mine;
#endif
    atomic { others = 0; c = 0; mine = 0 }
}

inline free_frame(f)
{
    atomic {
        is_freed[f] = true;
        for (v : 0 .. ADDRESSES - 1) {
            /* A6: before it is given to anybody else, nobody has it */
            assert(frame_of(v) != f || !has_entry(0, v) && !has_entry(1, v))
        }
        v = 0
    }
}

/* pt_clear of what lies from `first` to `last`; atomic where pt_lock is held. */
inline clear(first, last)
{
    atomic {
        if
        :: present[first] || present[last] -> stale = true
#ifndef MUTATE_TRUST_ABSENT
        :: !present[first] && !present[last] && unflushed > 0 -> stale = true
        :: !present[first] && !present[last] && unflushed == 0
#else
        :: !present[first] && !present[last]
#endif
        fi;
#ifdef MUTATE_FLUSH_TO_FOUND
        upto = (present[last] -> last : first);
#else
        upto = last;
#endif
        present[first] = false; present[last] = false;
        if
        :: stale -> unflushed++
        :: else
        fi
    }
    if
    :: stale ->
        flush(first, upto);
        atomic { unflushed--; stale = false }
    :: else
    fi;
    /* A6, P2: when it is over, nobody finds it */
    assert(!has_entry(0, first) && !has_entry(1, first) && !has_entry(0, last) && !has_entry(1, last));
    upto = 0
}

/* addrspace_unmap of address 1. */
proctype Unmapper()
{
    byte c, g, mine, others, upto, v;
    bool stale;
    clear(1, 1);
    free_frame(1);
    flushing--
}

/* addrspace_discard of address 0, or both; what was there is the truncation's to free. */
proctype Discarder()
{
    byte c, g, mine, others, upto;
    bool stale;
#ifdef BOTH
    clear(0, 1);
#else
    clear(0, 0);
#endif
    flushing--
}

/* mremap of address 0 to 1: region_move. */
proctype Mover()
{
    byte c, g, mine, others;
    atomic { !rmap_held -> rmap_held = true };
    if
    :: present[0] ->
        moved_to = 1;
        atomic { present[0] = false; present[1] = true };
#ifdef MUTATE_UNLOCK_EARLY
        rmap_held = false;
#endif
        flush(0, 0)
    :: else -> moved_to = 1
    fi;
#ifndef MUTATE_UNLOCK_EARLY
    rmap_held = false;
#endif
    flushing--
}

/* unmap_tail of memstore_resize. */
proctype Truncator()
{
    byte c, g, mine, others, upto, v;
    bool stale;
    atomic { !rmap_held -> rmap_held = true };
    if
    :: moved_to == 0 -> clear(0, 0)
    :: else -> clear(1, 1)
    fi;
    free_frame(0);
    rmap_held = false;
    flushing--
}

/* vpmap_destroy: no thread runs in the map any more, but CPUs may have it loaded. */
proctype Destroyer()
{
    byte c, others, g;
    atomic {
        flushing == 0 && (lazy[0] || local_map[0] != MAP) && (lazy[1] || local_map[1] != MAP) &&
        !interrupts_off[0] && !interrupts_off[1] -> exiting = true
    };
    if
    :: atomic { !interrupts_off[0] -> interrupts_off[0] = true; c = 0 }
    :: atomic { !interrupts_off[1] -> interrupts_off[1] = true; c = 1 }
    fi;
    if
    :: local_map[c] == MAP -> map_leave(c)
    :: else
    fi;
    others = cpus;
    interrupt_others(others);
    interrupts_off[c] = false;
#ifndef MUTATE_NO_EVICT
    cpus == 0;
#endif
    root_freed = true;
    assert(cr3[0] != MAP && cr3[1] != MAP)
}

init
{
    atomic {
        present[0] = true;
        run Cpu(0); run Cpu(1);
        run Walker(0); run Walker(1);
        run Truncator();
#ifdef END
        run Destroyer()
#elif defined(REMAP)
        run Mover()
#elif defined(DISCARD)
#ifdef BOTH
        present[1] = true;
#endif
        run Discarder()
#else
        present[1] = true;
        run Unmapper()
#endif
    }
}

/* Who flushes comes to an end: all that wait for each other answer. */
ltl ends { <> (flushing == 0) }
