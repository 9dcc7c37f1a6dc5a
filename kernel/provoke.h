/* Boot options that break the kernel's rules, to test what watches over them. */
#pragma once

/* provoke=lock-... or irq-...: makes /proc/provoke, and whoever reads it breaks that rule. */
void provoke_locks_init(void);
