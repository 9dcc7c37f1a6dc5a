/* Misuse of memory on purpose. */
#pragma once

/* provoke=NAME with a NAME of the table in provoke_memory.c: does it.  May sleep. */
void provoke_memory(void);
