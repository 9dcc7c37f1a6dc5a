#!/usr/bin/env bash
# lib/ and kernel/ compile for the host, against arch/host, with both values of KERNEL_DEBUG.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

for debug in 0 1; do
    find lib kernel -name '*.c' -print0 |
        xargs -0 -n 16 -P 2 clang -std=gnu11 -fsyntax-only -ffreestanding -O2 -Wall -Wextra -Wstrict-prototypes \
            -Wmissing-prototypes -Wno-unused-parameter -Wthread-safety -Werror -DKERNEL_DEBUG=$debug -Iinclude -Iarch/host -Iarch/common
done
