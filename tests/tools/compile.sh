#!/usr/bin/env bash
# tools/run FILE.c: compiled, packed and run, with its arguments as they were given.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

cp "$root/tests/tools/guest/echo_args.c" "$scratch/echo_args.c"
run "$scratch/echo_args.c" one 'two three' 'quo"te' 'back\slash' '' --cpus -- "it's"
expect_status 8 "the number of arguments"
expect_text "$out" $'[one]\n[two three]\n[quo"te]\n[back\\slash]\n[]\n[--cpus]\n[--]\n[it\'s]\n' "the arguments"

echo 'int main(void) { return nothing; }' >"$scratch/bad.c"
run "$scratch/bad.c"
expect_status 125 "a file that does not compile"
expect_text "$err" "bad.c does not compile" "a file that does not compile"
finish
