/* How long a name and its region live: create, map, unmap, destroy with and without waiting, exit
 * and kill, of processes that do any of it in any order.
 *
 * Stands for:
 *   kernel/fs/shmms.c: ctable_wait_created ctable_created context_release enter context_create
 *                      context_is_kept remove_key context_check_over context_bury context_unname
 *                      context_unlink context_hold_locked context_hold context_drop
 *                      shm_process_exit shm_shutdown
 *   kernel/fs/shmms_map.c: count_mapping shm_store_mapped shm_store_unmapped
 *   kernel/fs/shmms_named.c: wait_until_unnamed check_destroy shm_destroy hold_active shm_map
 *                            shm_unmap
 *   kernel/mm/regions.c: mapping_new mapping_abandon mapping_put
 *
 * One name.  A context is a place in an array, taken once and never again, so that a use after the
 * free is seen.  What is done under T is one atomic step, and ends in HOLDS.  A kill is an exit
 * that comes where a call is between two steps or asleep: a call in the kernel ends by itself. */
#define PROCESSES 3
#define CONTEXTS  2
#ifdef TWO_PROCESSES
#define CALLS(p) (p == 2 -> 0 : 3 - p)
#else
#define CALLS(p) (p == 0 -> 2 : 1) /* of any kind that a process makes at most; then it exits */
#endif
#define NOBODY PROCESSES
#define NONE   CONTEXTS

mtype = { ABSENT, ACTIVE, CLOSING, DEAD };
mtype = { WAIT, NOWAIT, UNLINK };

mtype state[CONTEXTS] = ABSENT;
bool named[CONTEXTS], persist[CONTEXTS];
byte users[CONTEXTS], mappings[CONTEXTS];
byte creator[CONTEXTS] = NOBODY;
byte refs[CONTEXTS];       /* store.refs */
bool is_freed[CONTEXTS];
byte by_name = NONE;       /* the tree of keys */
byte ncontexts;

bool attached[CONTEXTS * PROCESSES]; /* a mapping of context by process */
#define has_mapped(c, p) attached[(c) * PROCESSES + (p)]

byte unnamed_sleep[PROCESSES] = NONE; /* asleep on this context's unnamed_wait, not woken */
bool created_sleep[PROCESSES];        /* asleep on created_wait, not woken */

/* Ghosts: what was asked for, told apart from what the code noted. */
bool alive[PROCESSES] = true; /* has not begun to leave what it made */
bool gone[PROCESSES];         /* has left it all */
bool destroyed[CONTEXTS]; /* a destroy was accepted */
byte made_by[CONTEXTS] = NOBODY;
byte running = PROCESSES;

#define kept(c) (named[c] && state[c] == ACTIVE && (persist[c] || creator[c] != NOBODY))

/* What shmms_check.c asks, and the rules, of context `c`, whenever T is let go. */
#define RIGHT(c)                                                                                   \
    (state[c] == ABSENT || (                                                                       \
    /* A4 */ (state[c] == DEAD || mappings[c] || users[c] || kept(c)) &&                            \
    /* A1 */ (mappings[c] == 0 || state[c] != DEAD) &&                                              \
             (state[c] == DEAD || refs[c] >= 1 + mappings[c] + users[c]) &&                         \
    /* R3 */ (!named[c] || by_name == c) &&                                                         \
    /* R4 */ (destroyed[c] || state[c] != DEAD ||                                                   \
              (!persist[c] && !alive[made_by[c]] && mappings[c] == 0)) &&                           \
    /* R4 */ (persist[c] || !gone[made_by[c]] || mappings[c] || users[c] || state[c] == DEAD) &&    \
    /* R5 */ (state[c] != CLOSING || !named[c] || mappings[c])))

/* R5, R7: nobody sleeps who has nothing to wait for. */
#define AWAKE(p)                                                                                   \
    ((unnamed_sleep[p] == NONE || named[unnamed_sleep[p]]) &&                                       \
     !(created_sleep[p] && by_name != NONE && state[by_name] == ACTIVE))

inline HOLDS()
{
    assert(RIGHT(0) && RIGHT(1));
    assert(by_name == NONE || (named[by_name] && state[by_name] != DEAD));
    assert(AWAKE(0) && AWAKE(1) && AWAKE(2))
}

/* ---- the table; T held */

inline wake_unnamed(c)
{
    for (i : 0 .. PROCESSES - 1) {
        if
        :: unnamed_sleep[i] == c -> unnamed_sleep[i] = NONE
        :: else
        fi
    }
    i = 0
}

inline remove_key(c)
{
    if
    :: named[c] -> named[c] = false; by_name = NONE;
#ifndef MUTATE_NO_WAKE
        wake_unnamed(c)
#endif
    :: else
    fi
}

/* context_check_over: `over` gets the context, if it is. */
inline check_over(c)
{
#ifndef MUTATE_CLOSING_STAYS
    if
    :: state[c] == CLOSING && mappings[c] == 0 -> remove_key(c)
    :: else
    fi;
#endif
    if
#ifdef MUTATE_MAPPED_MAY_DIE
    :: state[c] != DEAD && !users[c] && !kept(c) ->
#else
    :: state[c] != DEAD && !mappings[c] && !users[c] && !kept(c) ->
#endif
        remove_key(c); state[c] = DEAD; creator[c] = NOBODY; over = c
    :: else -> over = NONE
    fi
}

inline hold_locked(c)
{
    assert(state[c] != DEAD && !is_freed[c]);
    users[c]++;
    refs[c]++
}

/* memstore_put, and context_release at the last.  In the code it comes after T is let go; here in the
 * same step, which is stricter: what is used after the free is found all the more. */
inline put(c)
{
    assert(refs[c] > 0 && !is_freed[c]);
    refs[c]--;
    if
    :: refs[c] == 0 -> assert(state[c] == DEAD && !mappings[c] && !users[c]);
        is_freed[c] = true
    :: else
    fi
}

inline bury()
{
    if
    :: over != NONE -> put(over); over = NONE
    :: else
    fi
}

inline drop(c)
{
    atomic {
        assert(users[c] > 0 && !is_freed[c]);
        users[c]--;
        check_over(c);
        HOLDS();
        bury();
        put(c);
        c = NONE;
        how = WAIT
    }
}

/* ---- the calls */

/* shm_create.  key_is_taken, a look before the work, is left out: it answers the same. */
inline create()
{
    atomic {
        if
#ifdef MUTATE_CREATE_ANYHOW
        :: ncontexts < CONTEXTS && (by_name == NONE || state[by_name] == CLOSING) ->
#else
        :: ncontexts < CONTEXTS && by_name == NONE ->
#endif
            /* R3: of two creators one */ assert(!named[0] && !named[1]);
            c = ncontexts; ncontexts++;
            state[c] = ACTIVE; named[c] = true; by_name = c;
            users[c] = 1; refs[c] = 2; made_by[c] = me;
            if
            :: persist[c] = true
            :: creator[c] = me
            fi;
#ifndef MUTATE_CREATED_NO_WAKE
            created_sleep[0] = false; created_sleep[1] = false; created_sleep[2] = false;
#endif
            HOLDS()
        :: else /* ERR_EXIST */
        fi
    }
}

/* shm_map, with RM_WAIT or without. */
inline map()
{
    do
    :: atomic {
        if
        :: by_name != NONE && state[by_name] == ACTIVE && !has_mapped(by_name, me) ->
            c = by_name; hold_locked(c); break
        :: by_name != NONE && state[by_name] == ACTIVE && has_mapped(by_name, me) -> break /* once is enough */
        :: by_name == NONE || state[by_name] != ACTIVE -> break /* ERR_NOTEXIST */
        :: by_name == NONE || state[by_name] != ACTIVE -> created_sleep[me] = true
        fi };
       if
       :: atomic { !created_sleep[me] }
       :: atomic { created_sleep[me] = false; break } /* a signal, the deadline */
       fi
    od;
    if
    :: c != NONE ->
        atomic { /* shm_store_mapped, and the reference of mapping_new before it */
            refs[c]++;
            assert(!is_freed[c] && state[c] != DEAD);
#ifndef MUTATE_MAP_CLOSING
            if
            :: state[c] == ACTIVE && named[c] ->
#else
            if
            :: true ->
#endif
                /* R5: a closed name maps nothing any more */
                assert(state[c] == ACTIVE && by_name == c);
                has_mapped(c, me) = true; mappings[c]++
            :: else -> put(c) /* mapping_abandon */
            fi;
            HOLDS()
        }
    :: else
    fi
}

/* mapping_put */
inline unmap(which)
{
    atomic {
        assert(!is_freed[which] && mappings[which] > 0);
        mappings[which]--; has_mapped(which, me) = false;
        check_over(which);
        HOLDS();
        bury();
        put(which)
    }
}

/* shm_unmap: by its name, as shm_stat and others hold it meanwhile. */
inline unmap_by_name()
{
    atomic {
        if
        :: by_name != NONE -> c = by_name; hold_locked(c)
        :: else
        fi
    };
    if
    :: c != NONE && has_mapped(c, me) -> unmap(c)
    :: else
    fi
}

/* shm_destroy */
inline destroy()
{
    atomic {
        c = by_name;
        if
        :: c == NONE || state[c] == CLOSING -> c = NONE               /* ERR_NOTEXIST */
        :: else ->
            if
            :: how != UNLINK && has_mapped(c, me) -> c = NONE         /* R5: ERR_INVAL */
            :: how == NOWAIT && mappings[c] > 0 -> c = NONE           /* R6: ERR_BUSY */
            :: else ->
                hold_locked(c);
                destroyed[c] = true;
                if
                :: how == UNLINK || mappings[c] == 0 ->
                    /* context_unname, context_unlink */
                    remove_key(c); check_over(c); assert(over == NONE)
                :: else -> state[c] = CLOSING; unnamed_sleep[me] = c
                fi;
                HOLDS()
            fi
        fi
    };
    if
    :: c != NONE ->
        if
        :: atomic { unnamed_sleep[me] == NONE ->
            /* R5: gone on return.  R6: unlinked, it may still be mapped */
            assert(!named[c] && (how == UNLINK || mappings[c] == 0)) }
#ifndef UNINTERRUPTED
        :: atomic { unnamed_sleep[me] != NONE -> unnamed_sleep[me] = NONE; /* ERR_INTR, _TIMEOUT */
            assert(state[c] == CLOSING) } /* R5, R6: the name stays closed */
#endif
        fi
    :: else
    fi
}

#define may_call (c == NONE && calls < CALLS(me))

proctype Process(byte me)
{
    byte c = NONE, over = NONE, i, calls;
    mtype how = WAIT;
    do
    :: atomic { may_call -> calls++; create() }
    :: atomic { may_call -> calls++ }; map()
    :: atomic { may_call -> calls++ }; unmap_by_name()
    :: atomic { may_call -> calls++;
        if
        :: how = WAIT
        :: how = NOWAIT
        :: how = UNLINK
        fi };
        destroy()
    :: c != NONE -> drop(c) /* all that look a context up have a use until they return */
    :: c == NONE -> break   /* exits, or was killed */
    od;
    /* release_all: the mappings, then the creator's end (R4) */
    do
    :: atomic { has_mapped(0, me) || has_mapped(1, me) -> c = !has_mapped(0, me); unmap(c); c = NONE }
    :: else -> break
    od;
    for (c : 0 .. CONTEXTS - 1) { /* shm_process_exit, in pieces of one */
        atomic {
            alive[me] = false;
            if
#ifndef MUTATE_CREATOR_FORGOTTEN
            :: creator[c] == me -> creator[c] = NOBODY; check_over(c)
#endif
            :: else
            fi;
            HOLDS();
            bury()
        }
    }
    atomic { gone[me] = true; HOLDS(); c = NONE; calls = 0; how = WAIT; running-- }
}

/* shm_shutdown: what persists goes, and then nothing is left (A4). */
proctype Shutdown()
{
    byte over = NONE, i, c;
    running == 0;
    for (c : 0 .. CONTEXTS - 1) {
        atomic {
            if
            :: named[c] -> destroyed[c] = true; remove_key(c); check_over(c); bury()
            :: else
            fi
        }
    }
    for (c : 0 .. CONTEXTS - 1) {
        assert(state[c] == ABSENT || (is_freed[c] && refs[c] == 0))
    }
}

/* Process 0 has made a region. */
init
{
    atomic {
        ncontexts = 1;
        state[0] = ACTIVE; named[0] = true; by_name = 0; refs[0] = 1; made_by[0] = 0;
        if
        :: persist[0] = true
        :: creator[0] = 0
        fi;
        run Process(0); run Process(1); run Process(2); run Shutdown()
    }
}

/* R5: who sleeps in destroy is woken, since whoever has it mapped leaves some day; with
 * -DUNINTERRUPTED nothing else ends the sleep. */
ltl woken { [] (unnamed_sleep[0] != NONE -> <> (unnamed_sleep[0] == NONE)) }
