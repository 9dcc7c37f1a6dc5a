/* Running a list of steps on a machine and in the model. */
#pragma once

#include "model.h"

struct run_config {
    unsigned cpus;
    uint64_t seed;      /* of the schedule, and of what is generated */
    unsigned steps_max; /* to generate; 0: the list is given */
    int wrong;
    bool concurrent; /* generate steps that are made together */
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

/* The list in shared memory, on a machine of its own, in a process of its own.
 * True: all was as it must be. */
bool run_steps(struct run *run);
struct run *run_new(void);

/* Makes run->steps as short and simple as a failure allows. */
void shrink(struct run *run, bool verbose);

/* ---- director.c: init, who tells the others what to do. */
int director_main(uintptr_t sp);
void director_begin(struct run *run);
_Noreturn void run_fails(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void direct_step(struct model *m, const struct step *s);

/* What is different, if something is. */
#define WHY_BYTES 500
bool answer_fits(const struct call *c, const struct answer *got, const struct answer *want,
                 char why[WHY_BYTES]);

/* Waits for the end of a call that was given. */
const struct answer *call_end(const struct call *c);

/* ---- seats.c: the processes. */
int seat_main(uintptr_t sp); /* of the program that EXEC runs */
long seat_first(void);       /* forks the first; its pid */
void seat_give(const struct call *c);
void seats_meet(unsigned n); /* the next n calls that are given begin together */
struct answer *seat_wait(int seat);
bool seat_is_done(int seat);
void seat_wait_asleep(int seat);
void seat_wait_gone(int seat);
void seat_signal(int seat, int sig);
void seat_set_pid(int seat, long pid);

/* ---- concurrent.c: steps that are made at the same time. */
#define TOGETHER 3u
void direct_batch(struct model *m, const struct step *first, unsigned n);

/* ---- resolve.c */
void resolve(const struct model *m, const struct step *s, struct call *c);

/* ---- perform.c: by the process. */
void perform(const struct call *c, struct answer *answer);
void perform_begin(const struct call *c);
void perform_end(const struct call *c, struct answer *answer);

/* ---- table.c: /proc/regions is the model's table; and the kernel's own
 * walkers find nothing. */
void table_compare(struct model *m);
const char *table_read(void);
bool table_fits(struct model *m, const char *text, char why[WHY_BYTES]);
void check_invariants(void);

/* ---- maps.c: so is /proc/PID/maps. */
void maps_compare(struct model *m, int seat);
const char *maps_read(const struct model *m, int seat);
bool maps_fit(struct model *m, int seat, const char *text, char why[WHY_BYTES]);

long read_proc(const char *path, char *to, size_t bytes);

/* ---- generator.c */
void generator_seed(uint64_t seed, bool concurrent);
uint64_t generator_random(uint64_t below);
void generate(const struct model *m, struct step *s);
