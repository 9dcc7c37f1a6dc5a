#!/usr/bin/env bash
# The whole machine with its n-th allocation, sleep or time limit failing (fail=KIND:N), n = FIRST, FIRST + STEP ...
# until three in a row fail nothing: it stops at boot with a message, or runs, ends and has nothing leaked.  Never a
# panic or a hang.
# usage: failing.sh BUILD_FOLDER KIND FIRST STEP PROGRAM [ARG]...
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
kind=$2
first=$3
step=$4
shift 4

delivered=0
missed=0 # in a row: how often a run sleeps is not always the same
for ((n = first; missed < 3; n += step)); do
    run --budget 60 --append "fail=$kind:$n" "$@"
    what="fail=$kind:$n $*"
    case $status in
    123) expect_text "$out" "shoal: boot stopped: " "$what" ;;
    121 | 122 | 124 | 125) expect_status 0 "$what" ;;
    *) expect_text "$out" "shoal: init exited with status" "$what" ;;
    esac
    if [[ $out == *"fail=$kind: fails here"* ]]; then
        delivered=$((delivered + 1))
        missed=0
    else
        expect_status 0 "$what, and nothing failed"
        missed=$((missed + 1))
    fi
    ((n < 20000)) || break
done
((missed == 3)) || fail "$kind: still fails after $n"
((delivered > 0)) || fail "$kind: none failed"
echo "$kind, $*: $delivered failures"
finish
