#!/usr/bin/env bash
# A run that never ends: the kernel is asked by NMI what it does, and the run is ended.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

run --budget 3 exit_status never
expect_status 124 "exit_status never"
expect_text "$err" "hang: no exit within 3 s" "exit_status never"
expect_text "$out" "panic: " "the kernel's answer to the NMI"

# The NMI comes while a CPU has the console's lock.
run --budget 3 --cpus 4 exit_status loud
expect_status 124 "exit_status loud"
expect_text "$out" "non-maskable interrupt; threads:" "what runs"
expect_text "$out" "panic: non-maskable interrupt" "the kernel's answer, whoever had the console"
finish
