#!/usr/bin/env bash
# tools/mkinitramfs: the same bytes for the same contents, all owned by root, the later line of a path wins.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

mkdir -p "$scratch/rootfs/etc"
echo "welcome" >"$scratch/rootfs/etc/motd"
program=$(head -n 1 "$build/initramfs.list" | cut -d ' ' -f 2-)
printf '/bin/b %s\n/bin/a /dev/null\n/bin/a %s\n' "$program" "$program" >"$scratch/list"

"$root/tools/mkinitramfs" "$scratch/1.cpio" "$scratch/list" "$scratch/rootfs"
sleep 1.1
touch "$scratch/rootfs/etc/motd"
(umask 077 && "$root/tools/mkinitramfs" "$scratch/2.cpio" "$scratch/list" "$scratch/rootfs")
cmp "$scratch/1.cpio" "$scratch/2.cpio" || fail "two archives of the same contents differ"

listing=$(cpio --quiet -itvn <"$scratch/1.cpio" | awk '{print $1, $3, $4, $NF}')
for entry in "drwxr-xr-x 0 0 dev" "drwxrwxrwt 0 0 tmp" "drwxr-xr-x 0 0 proc" "-rw-r--r-- 0 0 etc/motd" \
    "-rwxr-xr-x 0 0 bin/a" "-rwxr-xr-x 0 0 bin/b"; do
    grep -qxF -- "$entry" <<<"$listing" || fail "no '$entry' in: $listing"
done
[[ $(ls -A "$scratch") != *initramfs.* ]] || fail "left a staging folder"
finish
