/* Running a list of steps on a machine and in the model. */
#pragma once

#include "model.h"

struct run_config {
    unsigned cpus;
    uint64_t seed;      /* of the schedule, and of what is generated */
    unsigned steps_max; /* to generate; 0: the list is given */
    int wrong;
    bool concurrent; /* steps of a batch are made at once (concurrent.c) */
    bool verbose;
};

/* What the process of a run and the one that started it share. */
struct run {
    struct run_config config;
    unsigned nsteps;
    struct step steps[STEPS];
    unsigned at;        /* the step that is being made */
    char message[2000]; /* what is wrong; empty when nothing is */
};

/* The list in shared memory, on a machine of its own, in a process of its own.  True: all was as it
 * must be. */
bool run_steps(struct run *run);
struct run *run_new(void);

/* Makes run->steps as short and simple as a failure allows. */
void shrink(struct run *run, bool verbose);

/* ---- director.c: init, who tells the others what to do. */
int director_main(uintptr_t sp);
int seat_main(uintptr_t sp); /* of the program that EXEC runs */
void director_begin(struct run *run);
_Noreturn void run_fails(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Has the director make the call with the process of its seat, and looks at nothing. */
void seat_give(const struct call *c);
struct answer *seat_wait(int seat);
bool seat_is_done(int seat);
void seat_wait_asleep(int seat);

/* One call, to its end and that of all sleeps it ends. */
void direct_call(struct model *m, const struct call *c);

/* ---- resolve.c */
void resolve(const struct model *m, const struct step *s, struct call *c);

/* ---- perform.c: by the process. */
void perform(const struct call *c, struct answer *answer);

/* ---- table.c: /proc/regions is the model's table; and the kernel's own walkers find nothing. */
void table_compare(struct model *m);
void check_invariants(void);
long read_proc(const char *path, char *to, size_t bytes);

/* ---- concurrent.c */
void direct_batches(struct model *m, struct run *run);

/* ---- generator.c */
void generator_seed(uint64_t seed);
uint64_t generator_random(uint64_t below);
void generate(const struct model *m, struct step *s);
