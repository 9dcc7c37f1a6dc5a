#!/usr/bin/env bash
# usage: lock_rule.sh BUILD_FOLDER RULE MESSAGE [TAKER]
# A process that makes the kernel break RULE gets a panic that says MESSAGE, with the calls that lead to the offence,
# and, if the rule is about a lock held, the calls that took it: function TAKER and the system call.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
rule=$2 message=$3 taker=${4-}

run --append "provoke=$rule" /test/read_file /proc/provoke
expect_status 122 "$rule"
expect_text "$out" "panic: $message" "$rule"

offence=${out#*panic: called from}
expect_text "$offence" "locks held: " "$rule: the locks"
taken=${offence#*locks held: }
offence=${offence%%locks held: *}
case $rule in
irq-unbalanced) culprit=irq_unbalanced+ ;;
irq-*) culprit=kernel_timer_irq+ ;;
lock-return) culprit=kernel_return_to_user+ ;;
*) culprit=${rule//-/_}+ ;;
esac
expect_text "$offence" " $culprit" "$rule: the calls of the offence"

if [[ -n $taker ]]; then
    taken=${taken#*\"provoked }
    expect_text "$taken" " $taker+" "$rule: the calls that took the lock"
    case $rule in
    irq-*) expect_text "$taken" " timer_run_expired+" "$rule: the calls that took the lock" ;;
    *) expect_text "$taken" " provoke_printer+" "$rule: the calls that took the lock" ;;
    esac
fi
finish
