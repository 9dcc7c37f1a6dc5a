#!/usr/bin/env bash
# tools/bench says all it promises.  What the numbers are is not judged.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

status=0
"$root/tools/bench" --build "$build" --boots 1 --contexts 1000 >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
expect_status 0 "tools/bench"
for line in "boot to the demo's first line, microvm" "boot to the demo's first line, q35" "shoal.elf, in memory" \
    "getpid" "first touch of a region's page" "write to a copy-on-write page" "fork + exec + exit + wait" \
    "destroySharedRegion, 10 other" "kernel memory of an untouched region" "destroySharedRegion, 1000 other"; do
    grep -F "$line" "$scratch/out" | grep -qE ' [0-9.]+( |$)' || fail "no '$line' in: $(<"$scratch/out")"
done
finish
