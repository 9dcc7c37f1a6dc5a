#!/usr/bin/env bash
# tools/soak: runs that are well, and runs that fail: said, kept, and the status.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

soak() {
    status=0
    "$root/tools/soak" --build "$build" --logs "$scratch/logs" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    out=$(<"$scratch/out")
    err=$(<"$scratch/err")
}

soak --minutes 0.03 --seed 1 --cpus 2 --only fuzz --calls 3000
expect_status 0 "a short soak"
expect_text "$out" "soak: seed 1, 0.03 minutes" "the seed"
expect_text "$out" " ok" "a run"
expect_text "$out" "0 findings" "the summary"
[[ $out =~ ([0-9]+)\ calls\ of\ the\ fuzzer ]] && [[ ${BASH_REMATCH[1]} -ge 375 ]] || fail "no calls counted in: $out"
[[ ! -e $scratch/logs ]] || fail "logs of runs that were well: $(ls "$scratch/logs")"
seeds=$(grep -o 'seed  *[0-9]* cpus' <<<"$out" | head -n 1)

# The same seed makes the same runs; a panic and a leak are findings; the first one ends it.
for what in panic leak; do
    rm -rf "$scratch/logs"
    soak --minutes 5 --seed 1 --cpus 2 --only fuzz --calls 3000 --append "provoke=$what"
    expect_status 1 "provoke=$what"
    expect_text "$out" "$seeds" "the same seed again"
    expect_text "$out" "$what" "provoke=$what"
    expect_text "$out" "1 runs (1 fuzz)" "the end after the first finding"
    expect_text "$out" "1 findings" "provoke=$what"
    kept=$(echo "$scratch"/logs/0001-fuzz-*)
    grep -aq "$what" "$kept/console" || fail "no '$what' in the kept console"
    grep -q "provoke=$what" "$kept/replay" || fail "the kept command is another"
done
replayed=0
sh "$kept/replay" >"$scratch/replay" 2>&1 </dev/null || replayed=$?
[[ $replayed -eq 121 ]] || fail "the replay of a leak ends with status $replayed"

soak --minutes 0.01 --seed 1 --only fuzz --calls 1000 --cpus 1 --append provoke=panic --keep-going --jobs 2
expect_status 1 "--keep-going"
[[ $(grep -c "soak: finding: " "$scratch/out") -ge 2 ]] || fail "--keep-going with two jobs: $out"
soak --minutes 1 --only nothing
expect_status 2 "a kind that is not there"
finish
