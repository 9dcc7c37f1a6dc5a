#!/usr/bin/env bash
# The compiler finds what it is asked to find: code that breaks the contracts of the kernel's own headers, one function a
# time, is refused by -Wthread-safety, and code that keeps them is not.  Opt-outs are counted.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
failures=0

# Outside the files that are the locks, and what provokes panics.
OPT_OUTS_MAX=10

compile() { # CODE: is it accepted?
    {
        echo '#include <kernel/proc/process.h>'
        echo '#include <kernel/sched/mutex.h>'
        echo '#include "mm/mm.h"'
        echo '#include "fs/shmms.h"'
        echo '#include "proc/proc.h"'
        echo "$1"
    } >"$scratch/code.c"
    clang -std=gnu11 -fsyntax-only -ffreestanding -Wall -Wthread-safety -Werror -DKERNEL_DEBUG=1 -Iinclude -Iarch/host \
        -Iarch/common -Ikernel "$scratch/code.c" 2>"$scratch/err"
}

accepted() { # CODE
    compile "$1" && return
    echo "refused: $1"
    cat "$scratch/err"
    failures=$((failures + 1))
}

refused() { # CODE PART_OF_MESSAGE
    if compile "$1"; then
        echo "accepted: $1"
        failures=$((failures + 1))
    elif ! grep -q "$2" "$scratch/err"; then
        echo "no '$2' for: $1"
        cat "$scratch/err"
        failures=$((failures + 1))
    fi
}

accepted 'void f(struct spinlock *l); void f(struct spinlock *l) { spin_lock(l); spin_unlock(l); }'
refused 'void f(struct spinlock *l); void f(struct spinlock *l) { spin_lock(l); }' 'still held'
refused 'void f(struct spinlock *l); void f(struct spinlock *l) { spin_unlock(l); }' 'not held'
refused 'void f(struct spinlock *l); void f(struct spinlock *l) { spin_lock(l); spin_lock(l); }' 'already held'
refused 'void f(struct mutex *m, int n); void f(struct mutex *m, int n) { mutex_lock(m); if (n) return; mutex_unlock(m); }' \
    'not held on every path'
refused 'void f(struct rwlock *l); void f(struct rwlock *l) { rwlock_read(l); rwlock_write_done(l); }' 'exclusive'
refused 'void f(struct waitq *q, struct spinlock *l);
    void f(struct waitq *q, struct spinlock *l) { (void)waitq_sleep(q, l, SLEEP_KILLABLE, 0); }' 'requires holding'
accepted 'int f(struct smemcontext *c);
    int f(struct smemcontext *c) { spin_lock(&ctable_lock); int n = (int)c->users; spin_unlock(&ctable_lock); return n; }'
refused 'int f(struct smemcontext *c); int f(struct smemcontext *c) { return (int)c->users; }' "'users' requires holding"
refused 'void f(struct smemcontext *c); void f(struct smemcontext *c) { context_hold_locked(c); }' 'requires holding'
refused 'void f(struct smemcontext *c);
    void f(struct smemcontext *c) { spin_lock(&ctable_lock); context_drop(c); spin_unlock(&ctable_lock); }' 'cannot call'
refused 'int f(struct process *p); int f(struct process *p) { return p->status; }' "'status' requires holding"
refused 'struct process *f(void); struct process *f(void) { return process_find(1); }' 'requires holding'
accepted 'void f(struct addrspace *as);
    void f(struct addrspace *as) { rwlock_write(&as->lock); vmrange_isolate(as, 0, 0); rwlock_write_done(&as->lock); }'
refused 'void f(struct addrspace *as);
    void f(struct addrspace *as) { rwlock_read(&as->lock); vmrange_isolate(as, 0, 0); rwlock_read_done(&as->lock); }' \
    'exclusively'
refused 'void f(struct addrspace *as);
    void f(struct addrspace *as) { rwlock_read(&as->lock); vm_fault(as, 0, 0); rwlock_read_done(&as->lock); }' \
    'cannot call'

opt_outs=$(grep -rl NO_THREAD_SAFETY_ANALYSIS kernel arch |
    grep -v -e kernel/base/spinlock.c -e kernel/sched/mutex.c -e kernel/main.c |
    xargs grep -ho NO_THREAD_SAFETY_ANALYSIS | wc -l)
if [[ $opt_outs -gt $OPT_OUTS_MAX ]]; then
    echo "$opt_outs functions are not analysed, more than $OPT_OUTS_MAX"
    failures=$((failures + 1))
fi
[[ $failures -eq 0 ]]
