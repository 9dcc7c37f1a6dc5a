#!/usr/bin/env bash
# The exit status of a real run is the program's.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

run exit_status 0
expect_status 0 "exit_status 0"
run exit_status 7
expect_status 7 "exit_status 7"
run exit_status 255
expect_status 255 "exit_status 255"
run exit_status signal 9
expect_status 137 "exit_status signal 9"
run /test/no-such-program
expect_status 127 "a program that is not in the initramfs"
run --append init=/no/such/init exit_status 0
expect_status 123 "an init that does not exist"
finish
