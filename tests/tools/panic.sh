#!/usr/bin/env bash
# The gates work: a panic, a wrong lock order and a leak are noticed, say what they are, and fail the run.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

run --append provoke=panic exit_status 0
expect_status 122 "provoke=panic"
for part in "panic: provoked" "on CPU" "kernel_thread+" "locks held: 1" "provoked lock"; do
    expect_text "$out" "$part" "provoke=panic"
done
expect_text "$err" "panicked" "provoke=panic"

run --append provoke=fault exit_status 0
expect_status 122 "provoke=fault"
for part in "page fault" "rip " "cr2 " "kernel_thread+"; do
    expect_text "$out" "$part" "provoke=fault"
done

run --append provoke=lock exit_status 0
expect_status 122 "provoke=lock"
expect_text "$out" "provoked lock" "provoke=lock"

run --append provoke=overflow exit_status 0
expect_status 122 "provoke=overflow"
for part in "panic: kernel stack overflow of thread kernel" "#DF double fault" "deep+"; do
    expect_text "$out" "$part" "provoke=overflow"
done

run --append provoke=leak exit_status 0
expect_status 121 "provoke=leak"
expect_text "$out" "audit: frames kernel" "provoke=leak"
expect_text "$out" "provoke+" "provoke=leak: the allocation site"
finish
