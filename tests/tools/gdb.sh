#!/usr/bin/env bash
# The gdb commands, on a machine that is stopped wherever it happens to be, and then inside the region table.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

command -v gdb >/dev/null || {
    echo "no gdb here"
    exit 77
}

"$root/tools/run" --build "$build" --budget 100 --cpus 2 --gdb-socket "$scratch/gdb" gdb_scene \
    >"$scratch/out" 2>"$scratch/err" </dev/null &
machine=$!
trap 'kill "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true; rm -rf -- "$scratch"' EXIT
for ((i = 0; i < 300; i++)); do
    ! grep -q 'scene ready' "$scratch/out" || break
    kill -0 "$machine" 2>/dev/null || break
    sleep 0.1
done
grep -q 'scene ready' "$scratch/out" || {
    cat "$scratch/out" "$scratch/err"
    exit 1
}

# Sets out to what gdb says to the commands given.
gdb_says() {
    local command words=(-batch -nx -ex 'set pagination off' -ex 'set confirm off' -ex "target remote $scratch/gdb"
        -ex "source $root/tools/gdb/shoal.py")
    for command in "$@"; do
        words+=(-ex "$command")
    done
    status=0
    timeout 60 gdb "${words[@]}" -ex detach "$build/shoal.elf" >"$scratch/gdb.out" 2>&1 </dev/null || status=$?
    out=$(<"$scratch/gdb.out")
    [[ $status -eq 0 ]] || fail "gdb: status $status"
}

expect_line() { # REGEX WHAT
    grep -qE -- "$1" "$scratch/gdb.out" || {
        fail "$2: no line like '$1' in:"
        sed 's/^/    /' "$scratch/gdb.out"
    }
}

for attempt in 1 2 3; do
    gdb_says shoal-regions shoal-ps shoal-threads shoal-locks 'shoal-vm 2'
    expect_line '^NAME +KIND +ID +BYTES +RESIDENT ' "shoal-regions, attempt $attempt"
    expect_line '^gdb-scene +named +[0-9]+ +12288 +2 +4 +active +2 +2 +1 +.*\<2:2\>' "shoal-regions"
    expect_line '^2 +1 +gdb_scene +live +2 +blocked' "shoal-ps"
    expect_line '^3 +2 +gdb_scene +live +3 +blocked .*the lock of region "gdb-scene" \(.*shm_lock' "shoal-ps"
    expect_line '^thread [0-9]+ "idle/0"' "shoal-threads"
    expect_line '    #[0-9]+ 0x[0-9a-f]+ sys_lockRegion \(sys_region.c:[0-9]+\)' "shoal-threads"
    expect_line '^(no kernel lock is held|CPU [0-9]+, |thread [0-9]+ )' "shoal-locks"
    expect_line '^0x[0-9a-f]+ +0x[0-9a-f]+ +rw-s +3 +[0-9] +0 +shm "gdb-scene"' "shoal-vm"
    expect_line '^0x[0-9a-f]+ +0x[0-9a-f]+ +rw-p +[0-9]+ +[1-9][0-9]* +- +stack' "shoal-vm"
    sleep 0.2
done

gdb_says 'tbreak ctable_find' continue shoal-locks shoal-threads 'shoal-vm 4711'
expect_line '^ +"ctable" \(0x[0-9a-f]+ .*rank ctable\), taken at 0x[0-9a-f]+ ' "shoal-locks in the table"
expect_line '    #0 0x[0-9a-f]+ ctable_find \(shmms.c:' "shoal-threads in the table"
expect_line 'no process 4711' "shoal-vm of nobody"
finish
