#!/usr/bin/env bash
# --help, and wrong usage.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

run --help
expect_status 0 "--help"
for option in --as --with --cpus --mem --machine --accel --gdb --gdb-socket --print --debug --release --budget --append --icount --quiet; do
    expect_text "$out" "$option" "--help"
done

for options in "--cpus two" "--cpus" "--machine pc" "--accel fast" "--no-such-option" "--budget -1" "--as xv7 a.c" "--as osv hello" "--as osv" \
    "--with hello" "--with a=/dev/null hello" "--with /a=$scratch/none hello"; do
    # shellcheck disable=SC2086
    run $options
    expect_status 2 "tools/run $options"
    expect_text "$err" "tools/run: " "tools/run $options"
done
run no-such-program
expect_status 2 "a program that does not exist"
run "$scratch/none.c"
expect_status 2 "a file that does not exist"
finish
