#!/usr/bin/env bash
# --print: the command a shell would run, and nothing else.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

# Sets `words` to the words of the printed command, as a shell reads them.
print_words() {
    run --print "$@"
    expect_status 0 "--print $*"
    words=()
    eval "words=($out)"
}

# The word after $1 is $2.
expect_option() {
    local i
    for ((i = 0; i < ${#words[@]} - 1; i++)); do
        [[ ${words[i]} == "$1" && ${words[i + 1]} == "$2" ]] && return
    done
    fail "no '$1 $2' in: $out"
}

print_words
[[ ${words[0]} == qemu-system-x86_64 ]] || fail "not QEMU: $out"
expect_option -accel tcg,thread=multi
expect_option -smp 2
expect_option -m 128M
expect_option -kernel "$build/shoal.elf"
expect_option -append "init=/sbin/init -- /bin/region-demo"

print_words --cpus 4 --mem=1G --machine q35 --accel kvm --append "trace=fault" region-demo 'a b' 'c"d\e' '' plain
expect_option -M q35
expect_option -accel kvm
expect_option -smp 4
expect_option -m 1G
expect_option -append 'init=/sbin/init trace=fault -- /bin/region-demo "a b" "c\"d\\e" "" plain'

print_words --append "init=/test/x"
expect_option -append "init=/test/x -- /bin/region-demo"
print_words --icount --gdb
expect_option -accel tcg,thread=single
expect_text " $out" " -s -S " "--gdb"
print_words --gdb-socket "$scratch/gdb"
expect_option -gdb chardev:gdb
expect_option -chardev "socket,id=gdb,path=$scratch/gdb,server=on,wait=off"
[[ " $out" != *" -S "* ]] || fail "--gdb-socket alone waits: $out"
finish
