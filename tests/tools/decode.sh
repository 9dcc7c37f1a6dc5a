#!/usr/bin/env bash
# Every way a machine can end, with a QEMU that only pretends.
# shellcheck source=tests/tools/common.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"

mkdir "$scratch/bin"
cat >"$scratch/bin/qemu-system-x86_64" <<'END'
#!/usr/bin/env bash
# Prints $FAKE_CONSOLE, waits for the monitor's "nmi" when $FAKE_HANG is answer, for ever when it is deaf, and exits with
# $FAKE_STATUS.
for word in "$@"; do
    case $word in
    stdio,*) log=${word##*logfile=} ;;
    pipe,*) monitor=${word##*path=} ;;
    esac
done
printf "$FAKE_CONSOLE" | tee "$log"
exec 7<>"$monitor.in"
case ${FAKE_HANG-} in
answer) read -r line <&7 && printf "got $line\r\n" | tee -a "$log" ;;
deaf) read -r line <&7 && read -r line <&7 ;;
esac
exit "$FAKE_STATUS"
END
chmod +x "$scratch/bin/qemu-system-x86_64"
export PATH=$scratch/bin:$PATH FAKE_CONSOLE FAKE_STATUS FAKE_HANG=

# CONSOLE QEMU_STATUS STATUS PART_OF_STDERR
expect_end() {
    FAKE_CONSOLE=$1 FAKE_STATUS=$2
    run /bin/x
    expect_status "$3" "QEMU's status $2 after '$1'"
    if [[ -n $4 ]]; then
        expect_text "$err" "$4" "QEMU's status $2"
    else
        [[ -z $err ]] || fail "QEMU's status $2: stderr says: $err"
    fi
}

ends='shoal: init exited with status'
expect_end "hello\r\n$ends 0\r\n" 1 0 ''
[[ $out == $'hello\n'"$ends 0" ]] || fail "the console came out as: $out"
expect_end '' 1 125 'QEMU failed'
expect_end "$ends 7\r\n" 3 7 ''
expect_end "no newline$ends 137\r\n" 3 137 ''
expect_end "$ends 7\r\nmore\r\n" 3 125 "init's status"
expect_end 'panic: x\r\n' 33 122 'the kernel panicked'
expect_end 'x\r\n' 35 121 'leak audit failed'
expect_end 'x\r\n' 37 123 'before init'
expect_end 'x\r\n' 0 122 'reset'
expect_end 'x\r\n' 134 125 'QEMU failed with status 134'

# --quiet prints the console of a failed run only.
FAKE_CONSOLE='hello\r\n' FAKE_STATUS=1
run --quiet /bin/x
[[ $status -eq 0 && -z $out$err ]] || fail "--quiet, passed: $status '$out' '$err'"
FAKE_STATUS=33
run --quiet /bin/x
[[ $status -eq 122 && $out == hello ]] || fail "--quiet, failed: $status '$out' '$err'"

FAKE_HANG=answer
run --budget 1 /bin/x
expect_status 124 "a hang that answers the NMI"
expect_text "$err" "hang: no exit within 1 s" "a hang"
expect_text "$out" "got nmi" "a hang"
FAKE_HANG=deaf
run --budget 1 /bin/x
expect_status 124 "a hang that does not answer"

# A tools/run that is told to stop takes its QEMU along.
"$root/tools/run" --build "$build" --budget 30 /bin/x >/dev/null 2>&1 </dev/null &
sleep 0.5
kill -TERM $!
status=0
wait $! || status=$?
[[ $status -eq 143 ]] || fail "SIGTERM: status $status instead of 143"
[[ -z $(ls -A "$TMPDIR") ]] || fail "SIGTERM: left $(ls -A "$TMPDIR")"
finish
