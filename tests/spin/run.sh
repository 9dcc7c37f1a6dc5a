#!/usr/bin/env bash
# Checks one model with Spin.
#   run.sh [-l CLAIM] [-w] [-D NAME]... MODEL.pml [DIRECTORY]
#   -l CLAIM   the ltl property of that name, with weak fairness, instead of assertions and deadlocks
#   -w         the model is wrong on purpose (a mutation): Spin must find an error
#   -D NAME    defines NAME in the model: a mutation, a smaller configuration
# Makes its files in DIRECTORY (here), which is where the trail of an error is.  A search that was cut short proves nothing
# and counts as a failure.
set -euo pipefail

depth=200000 memory_mb=1500
claim="" wrong=false optimize=-O2 defines=()
while getopts l:wD: option; do
    case $option in
    l) claim=$OPTARG ;;
    w) wrong=true optimize=-O0 ;; # found at once; most of the time is the compiler's
    D) defines+=("-D$OPTARG") ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
model=$(realpath -- "$1")
mkdir -p -- "${2-.}"
cd -- "${2-.}"
rm -f ./*.trail pan pan.[bchmtp]
cp -- "$model" .

spin "${defines[@]}" -a "${model##*/}"
compile=(clang "$optimize" -w "-DMEMLIM=$memory_mb" -o pan pan.c) search=(./pan "-m$depth" -w22)
if [[ $claim ]]; then
    compile+=(-DNFAIR=3)
    search+=(-a -f -N "$claim")
else
    compile+=(-DSAFETY -DNOCLAIM)
fi
"${compile[@]}"
"${search[@]}" >out 2>&1 || true
cat out

if ! errors=$(sed -n 's/^State-vector .*errors: \([0-9]*\).*/\1/p' out) || [[ -z $errors ]]; then
    echo "$1: the search did not end" && exit 1
fi
if $wrong; then
    [[ $errors -gt 0 ]] || { echo "$1 ${defines[*]}: wrong on purpose, and no error found"; exit 1; }
    if grep -q 'max search depth too small\|VECTORSZ is too small' out; then
        echo "$1 ${defines[*]}: the error is one of the search" && exit 1
    fi
    exit 0
fi
[[ $errors -eq 0 ]] || { echo "$1: see the trail: spin -t -p ${defines[*]} ${model##*/} in $PWD"; exit 1; }
if grep -q 'max search depth too small\|Search not completed\|out of memory\|VECTORSZ' out; then
    echo "$1: the search was cut short" && exit 1
fi
