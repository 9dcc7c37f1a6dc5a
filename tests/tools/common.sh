# shellcheck shell=bash disable=SC2034
# For the tests of tools/.  usage of a test: TEST.sh BUILD_FOLDER
set -euo pipefail
build=$1
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
# tools/run makes its temporary files here, so that what it leaves can be seen.
export TMPDIR=$scratch/tmp
mkdir "$TMPDIR"
failures=0

fail() {
    echo "FAIL: $*"
    failures=$((failures + 1))
}

# Runs tools/run on the build folder; sets status, and out and err to what it printed.
run() {
    status=0
    "$root/tools/run" --build "$build" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    out=$(<"$scratch/out")
    err=$(<"$scratch/err")
    [[ -z $(ls -A "$TMPDIR") ]] || fail "tools/run $* left $(ls -A "$TMPDIR")"
}

expect_status() { # STATUS WHAT
    [[ $status -eq $1 ]] && return
    fail "$2: status $status instead of $1"
    sed 's/^/    out: /' "$scratch/out"
    sed 's/^/    err: /' "$scratch/err"
}

expect_text() { # TEXT PART WHAT
    [[ $1 == *"$2"* ]] || fail "$3: no '$2' in: $1"
}

finish() {
    [[ $failures -eq 0 ]]
    exit
}
