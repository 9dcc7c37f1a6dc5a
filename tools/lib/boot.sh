# shellcheck shell=bash disable=SC2154,SC2054
# One machine from start to exit status, for tools/run.  The caller has set: me, quiet, budget_s, and the array `qemu` (the
# command line without console and monitor).  Sets up its own temporary folder and takes it away.

# The exit status of QEMU for each code of include/abi/exit.h: (code << 1) | 1.
readonly QEMU_OK=1 QEMU_STATUS=3 QEMU_PANIC=33 QEMU_LEAK=35 QEMU_BOOT=37

boot_cleanup() {
    if [[ -n ${qemu_pid-} ]]; then
        kill -KILL "$qemu_pid" 2>/dev/null || true
        # Waited for, and not to hear bash announce its death.
        wait "$qemu_pid" 2>/dev/null || true
    fi
    if [[ -n ${tty_state-} ]]; then
        stty "$tty_state" || true
    fi
    rm -rf -- "$tmp"
}

# Starts QEMU in the background: console on stdin and stdout, its copy in $tmp/console, the monitor behind $tmp/monitor.in,
# and fd 8 that reads end-of-file when QEMU is gone.
boot_start() {
    local input=/dev/null output=/dev/stdout
    mkfifo "$tmp/alive" "$tmp/output" "$tmp/monitor.in" "$tmp/monitor.out"
    qemu+=(-chardev "stdio,id=console,signal=on,logfile=$tmp/console" -serial chardev:console
        -chardev "pipe,id=monitor,path=$tmp/monitor" -mon chardev=monitor,mode=readline)
    filter_pid=
    if [[ -t 0 ]]; then
        input=/dev/stdin
        tty_state=$(stty -g)
    fi
    if $quiet; then
        output=/dev/null
    elif [[ ! -t 1 ]]; then
        # The console ends its lines in \r\n; files and pipes want \n.
        output=$tmp/output
        sed -u 's/\r$//' <"$tmp/output" &
        filter_pid=$!
    fi
    # The machine must not outlive this script, even a killed one.
    setpriv --pdeathsig KILL "${qemu[@]}" <"$input" >"$output" 9>"$tmp/alive" &
    qemu_pid=$!
    exec 8<"$tmp/alive"
}

# True when QEMU is gone within $1 seconds (0: waits for ever).
boot_gone() {
    local limit=() status=0
    [[ $1 -eq 0 ]] || limit=(-t "$1")
    read -r "${limit[@]}" -u 8 _ || status=$?
    [[ $status -le 128 ]]
}

# Runs the machine to its end and returns the exit status that tools/run --help promises.
boot_run() {
    local status=0 hang=false
    tmp=$(mktemp -d)
    trap boot_cleanup EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    boot_start
    if ! boot_gone "$budget_s"; then
        hang=true
        # The kernel says where it is and panics; a kernel that cannot even do that is killed.
        echo nmi 1<>"$tmp/monitor.in"
        boot_gone 3 || kill -KILL "$qemu_pid"
    fi
    wait "$qemu_pid" 2>/dev/null || status=$?
    qemu_pid=
    [[ -z $filter_pid ]] || wait "$filter_pid" || true
    boot_decode "$status" "$hang"
}

# boot_decode QEMU_STATUS HANG: says on stderr what ended the run, if not the program itself, and returns its status.
boot_decode() {
    local status=0 message='' last=''
    if [[ -s $tmp/console ]]; then
        last=$(tr -d '\r' <"$tmp/console" | grep -a . | tail -n 1) || true
    fi
    case $2,$1 in
    true,*) status=124 message="hang: no exit within $budget_s s" ;;
    *,"$QEMU_OK") # QEMU's own failures end with the same number, before the kernel's first line.
        [[ -n $last ]] || status=125 message="QEMU failed" ;;
    *,"$QEMU_STATUS")
        if [[ $last =~ shoal:\ init\ exited\ with\ status\ ([0-9]+)$ ]]; then
            status=${BASH_REMATCH[1]}
        else
            status=125 message="the console does not end with init's status"
        fi
        ;;
    *,"$QEMU_PANIC") status=122 message="the kernel panicked" ;;
    *,"$QEMU_LEAK") status=121 message="the leak audit failed" ;;
    *,"$QEMU_BOOT") status=123 message="the boot stopped before init" ;;
    *,0) status=122 message="the machine reset itself (a triple fault, most likely)" ;;
    *) status=125 message="QEMU failed with status $1" ;;
    esac
    if [[ $status -ne 0 ]] && $quiet && [[ -s $tmp/console ]]; then
        sed 's/\r$//' "$tmp/console"
    fi
    [[ -z $message ]] || echo "$me: $message" >&2
    return "$status"
}
