# A shell and its tools, a binary of a Linux distribution as it is, at work beside regions: they are files of /dev/shm,
# and the table is text.  Runs in the guest: busybox sh shell.sh
set -eu
busybox=/bin/busybox
$busybox --install /bin
export PATH=/bin

is() { # WHAT IT-MUST-BE
    [ "$1" = "$2" ] || {
        echo "FAIL: '$1', must be '$2'"
        exit 1
    }
}

# Pipes, substitution, loops, functions, here documents.
is "$(echo one three two | tr ' ' '\n' | sort | head -n 2 | tail -n 1)" three
is "$(for i in 1 2 3; do echo $((i * i)); done | awk '{ sum += $1 } END { print sum }')" 14
is "$(cat <<END
$(basename /a/b/c) in a here document
END
)" "c in a here document"
words=0
while read -r line; do
    for word in $line; do words=$((words + 1)); done
done <<END
a b c
d e
END
is $words 5
case $(uname -s) in
Shoal) ;;
*) is "$(uname -s)" Shoal ;;
esac

# Children: their status, how they die, in the background.
(exit 3) && is 0 3 || is $? 3
sleep 100 &
kill -9 $!
wait $! || is $? 137
for i in 1 2 3 4; do
    { sleep 0; echo $i; } >>/tmp/out &
done
wait
is "$(sort /tmp/out | tr -d '\n')" 1234

# Files and folders.
mkdir -p /tmp/a/b
cd /tmp/a/b
echo text >f
cp f g
ln -s f h
mv g ../g
is "$(find /tmp/a -type f | sort | tr '\n' ' ')" "/tmp/a/b/f /tmp/a/g "
is "$(cat h)" text
is "$(stat -c %s f)" 5
chmod 640 f
is "$(ls -l f | cut -c 1-10)" -rw-r-----
cd /
rm -r /tmp/a /tmp/out

# P1: regions are files.
is "$(ls /dev/shm)" ""
echo "from the shell" >/dev/shm/sheet
is "$(cat /dev/shm/sheet)" "from the shell"
is "$(ls /dev/shm)" sheet
dd if=/dev/zero of=/dev/shm/sheet bs=4096 count=4 2>/dev/null
is "$(stat -c %s /dev/shm/sheet)" 16384
is "$(awk '$2 == "sheet" { print $1, $4, $5 }' /proc/regions)" "region 16384 4"
cp /dev/shm/sheet /tmp/sheet
cmp /dev/shm/sheet /tmp/sheet
exec 3</dev/shm/sheet
rm /dev/shm/sheet /tmp/sheet
is "$(grep -c sheet /proc/regions)" 1
exec 3<&-
is "$(wc -l </proc/regions)" 1
echo "busybox sh: all is well"
