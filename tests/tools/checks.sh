#!/usr/bin/env bash
# What a debug kernel checks of itself: undefined behaviour and stacks are panics that say what and where.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

provoke() { # NAME TEXT
    run --append "provoke=$1" exit_status 0
    expect_status 122 "provoke=$1"
    expect_text "$out" "$2" "provoke=$1"
    expect_text "$out" "panic: called from" "provoke=$1"
}

provoke undefined "panic: ubsan: kernel/provoke_memory.c:"
expect_text "$out" "2147483647 + 1 overflows 'int'" "provoke=undefined"
provoke shift "1 shifted by 32 in 'int'"
provoke index "index 40 is outside of 'unsigned char[40]'"
provoke smash "panic: kernel stack smashing of thread kernel"
provoke nearly-overflow "thread deep left only "

run --append trace=stacks exit_status 0
expect_status 0 "trace=stacks"
[[ $out =~ deepest\ kernel\ stack:\ [0-9]+\ of\ [0-9]+\ bytes ]] || fail "trace=stacks: $out"
finish
