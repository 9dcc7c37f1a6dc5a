#!/usr/bin/env bash
# A damaged initramfs stops the boot, or leaves a tree that is only poorer: never a panic, a hang or a leak.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

good=$build/initramfs.cpio
bytes=$(stat -c %s "$good")
mkdir "$scratch/build"
ln -s "$(realpath "$build")/shoal.elf" "$scratch/build/shoal.elf"
bad=$scratch/build/initramfs.cpio
build=$scratch/build

# Half of it, a few bytes of it, none of it, something else.
for cut in $((bytes / 2)) 200 110 7 1; do
    head -c "$cut" "$good" >"$bad"
    run exit_status 0
    expect_status 123 "cut at $cut"
    expect_text "$out" "initramfs" "cut at $cut"
done
head -c 100000 /dev/zero >"$bad"
run exit_status 0
expect_status 123 "zeros"

# Headers with lies in them: every field of the first entries, one digit at a time.
for offset in 0 6 14 22 54 62 94 102 110 130 150 170 190 210 230 250; do
    cp "$good" "$bad"
    printf 'f' | dd of="$bad" bs=1 seek="$offset" conv=notrunc status=none
    run exit_status 0
    [[ $status -eq 0 || $status -eq 123 || $status -eq 127 ]] || expect_status 123 "byte $offset changed"
done
finish
