# gdb -x tools/gdb/shoal.gdb build/debug/shoal.elf, from the top of the repository, while tools/run --gdb waits.
set pagination off
set confirm off
set print pretty on
# Breakpoints before the kernel has its page tables must be hardware ones; this one also tells that the boot got there.
target remote :1234
hbreak kernel_main
hbreak panic
source tools/gdb/shoal.py
