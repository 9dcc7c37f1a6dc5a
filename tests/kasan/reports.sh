#!/usr/bin/env bash
# The KASAN kernel notices an access of each kind that it is there for, and says what was touched.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../tools/common.sh"

provoke() { # NAME TEXT...
    local name=$1 part
    shift
    run --kasan --cpus 1 --append "provoke=$name" exit_status 0
    expect_status 122 "provoke=$name"
    for part in "panic: kasan: " "$@" "panic: called from" "provoke_memory+"; do
        expect_text "$out" "$part" "provoke=$name"
    done
}

provoke use-after-free "read of 1 bytes" "use after free: byte 8 of an object of 128, cache bytes-128" "use_after_free+"
provoke beyond-object "write of 101 bytes" "redzone: byte 100 of an object of 128, cache bytes-128, allocated by beyond_object"
provoke free-frame "write of 1 bytes" "a free frame" "free_frame+"
provoke user-copy "write of 101 bytes" "redzone: byte 100 of an object" "copy_from_user+"
provoke beyond-array "read of 1 bytes" "beyond a variable on a stack" "beyond_array+"
provoke out-of-scope "read of 1 bytes" "a variable on a stack that is out of scope" "out_of_scope+"
provoke beyond-global "read of 1 bytes" "beyond a global variable" "beyond_global+"

# What has nothing to do with shadow works as it does without.
run --kasan --append provoke=overflow exit_status 0
expect_status 122 "provoke=overflow"
expect_text "$out" "panic: kernel stack overflow of thread kernel" "provoke=overflow"
finish
