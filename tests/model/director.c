/* Who makes which call when.  init directs; each seat is a process that waits to be told.  What
 * they say to each other is in C variables, outside of the simulated memory. */
#include "run.h"

#include "../host/user.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK_EVERY 8 /* steps */

struct seat {
    long pid;
    bool todo, done;
    struct call call;
    struct answer answer;
};

static struct run *run;
static struct seat seats[SEATS];
static struct model model;

void director_begin(struct run *r)
{
    run = r;
}

void run_fails(const char *fmt, ...)
{
    va_list ap;
    char step[100] = "is the end:";
    if (run->at < run->nsteps)
        step_print(step, sizeof step, &run->steps[run->at]);
    int n = snprintf(run->message, sizeof run->message, "step %u %s ", run->at, step);
    va_start(ap, fmt);
    vsnprintf(run->message + n, sizeof run->message - (size_t)n, fmt, ap);
    va_end(ap);
    _exit(1);
}

/* ---- the processes */

static void on_signal(int sig) {}

static int seat_loop(uintptr_t number);

static long seat_fork(const struct call *c)
{
    seats[c->a[0]] = (struct seat){0};
    return u_fork(seat_loop, (uintptr_t)c->a[0]);
}

static int seat_loop(uintptr_t number)
{
    const unsigned long action[4] = {host_handler(on_signal), 0x04000000 /* SA_RESTORER */, 0, 0};
    struct seat *s = &seats[number];
    U_EQ(U_CALL(SYS_rt_sigaction, SIGUSR1, u_put(0, action, sizeof action), 0, 8), 0);
    host_catch_faults();
    for (;;) {
        while (!s->todo)
            U_CALL(SYS_sched_yield);
        s->todo = false;
        if (s->call.op == FORK)
            s->answer.ret = seat_fork(&s->call);
        else
            perform(&s->call, &s->answer);
        s->done = true;
    }
}

/* The program after exec: it has its pid, and nothing else. */
int seat_main(uintptr_t sp)
{
    long pid = U_CALL(SYS_getpid);
    for (uintptr_t i = 0; i < SEATS; i++)
        if (seats[i].pid == pid) {
            seats[i].answer.ret = 0;
            seats[i].done = true;
            return seat_loop(i);
        }
    return 1;
}

/* ---- the director */

void seat_give(const struct call *c)
{
    struct seat *s = &seats[c->seat];
    s->call = *c;
    s->answer = (struct answer){0};
    s->done = false;
    s->todo = true;
}

bool seat_is_done(int seat)
{
    return seats[seat].done;
}

struct answer *seat_wait(int seat)
{
    while (!seats[seat].done)
        U_CALL(SYS_sched_yield);
    return &seats[seat].answer;
}

void seat_wait_asleep(int seat)
{
    char path[40], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/status", seats[seat].pid);
    for (;;) {
        if (seats[seat].done)
            run_fails("answers %ld, must sleep", seats[seat].answer.ret);
        if (!seats[seat].todo && read_proc(path, text, sizeof text) > 0 &&
            strstr(text, "State:\tS"))
            return;
        U_CALL(SYS_sched_yield);
    }
}

/* Nobody waits for a child: who has ended is gone. */
static void wait_gone(int seat)
{
    while (U_CALL(SYS_kill, (unsigned long)seats[seat].pid, 0) != -ESRCH)
        U_CALL(SYS_sched_yield);
}

static void compare(const struct call *c, const struct answer *got, const struct answer *want)
{
    if (got->ret != want->ret)
        run_fails("%s of seat %u answers %ld, must %ld", op_name(c->op), c->seat, got->ret,
                  want->ret);
    for (int i = 0; i < OUTS; i++)
        if (got->out[i] != want->out[i])
            run_fails("%s of seat %u says %ld in place %d, must %ld", op_name(c->op), c->seat,
                      got->out[i], i, want->out[i]);
    for (int i = 0; c->op == LOOK && i < PAGE; i++)
        if (got->page[i] != want->page[i])
            run_fails("seat %u finds %#x at %#lx, must find %#x", c->seat, got->page[i],
                      c->a[0] + i, want->page[i]);
}

static void settle_sleepers(struct model *m)
{
    struct answer want;
    for (int i = 0; i < SEATS; i++) {
        while (model_wakes(m, i)) {
            struct answer *got = seat_wait(i);
            struct call c = m->proc[i].call;
            model_wake(m, i, got, &want);
            compare(&c, got, &want);
            i = 0;
        }
    }
    for (int i = 0; i < SEATS; i++)
        if (m->proc[i].alive && m->proc[i].asleep && seats[i].done)
            run_fails("the %s of seat %d answers %ld, must sleep", op_name(m->proc[i].call.op), i,
                      seats[i].answer.ret);
}

static void make_call(struct model *m, const struct call *c)
{
    static const struct answer none;
    const struct answer *got = &none;
    struct answer want;
    long pid = seats[c->seat].pid;
    if (c->op == KILL || c->op == INTR)
        U_EQ(U_CALL(SYS_kill, (unsigned long)pid, c->op == KILL ? SIGKILL : SIGUSR1), 0);
    else
        seat_give(c);
    if (c->op == KILL || c->op == EXIT)
        wait_gone(c->seat);
    else if (c->op != INTR)
        got = seat_wait(c->seat);
    model_apply(m, c, got, &want);
    if (c->op == FORK)
        seats[c->a[0]].pid = got->ret;
    compare(c, got, &want);
}

void direct_call(struct model *m, const struct call *c)
{
    if (c->op != KILL && c->op != INTR && model_sleeps(m, c)) {
        seat_give(c);
        seat_wait_asleep(c->seat);
        model_sleep(m, c);
        model_settle(m);
    } else {
        make_call(m, c);
    }
    settle_sleepers(m);
}

/* Every byte of every page a process has. */
static void compare_pages(struct model *m, int seat)
{
    const struct mproc *p = &m->proc[seat];
    for (int i = 0; i < p->npages; i++) {
        struct call look = {.seat = (uint8_t)seat, .op = LOOK, .a = {p->page[i].va}};
        if (model_applies(m, &look))
            direct_call(m, &look);
    }
}

static void direct_step(struct model *m, const struct step *s)
{
    struct call c;
    resolve(m, s, &c);
    if (!model_applies(m, &c))
        return;
    if (c.op == COMPARE)
        compare_pages(m, c.seat);
    else
        direct_call(m, &c);
    table_compare(m);
    if (run->at % CHECK_EVERY == 0)
        check_invariants();
}

static void direct_steps(struct model *m)
{
    bool generates = run->config.steps_max > 0;
    if (generates)
        run->nsteps = run->config.steps_max;
    for (run->at = 0; run->at < run->nsteps; run->at++) {
        struct step *s = &run->steps[run->at];
        if (generates)
            generate(m, s);
        direct_step(m, s);
    }
}

/* Everybody ends; what stays is what must, and goes by hand. */
static void finish(struct model *m)
{
    for (int i = 0; i < SEATS; i++)
        if (m->proc[i].alive && !m->proc[i].asleep)
            compare_pages(m, i);
    for (int i = 0; i < SEATS; i++) {
        struct call c = {.seat = (uint8_t)i, .op = KILL};
        if (!model_applies(m, &c))
            continue;
        direct_call(m, &c);
        table_compare(m);
    }
    for (long name = 0; name < NAMES; name++)
        if (region_find(m, name)) {
            U_EQ(u_destroy(region_name(name)), 0);
            region_find(m, name)->alive = false;
        }
    for (int i = 0; i < m->nctx; i++) {
        const struct mctx *c = &m->ctx[i];
        if (c->alive && c->kind == K_SYSV)
            U_EQ(U_CALL(SYS_shmctl, (unsigned long)c->id, 0 /* IPC_RMID */), 0);
        m->ctx[i].alive &= c->kind == K_FRY;
    }
    table_compare(m);
    check_invariants();
}

int director_main(uintptr_t sp)
{
    const unsigned long ignore[4] = {1 /* SIG_IGN */, 0x04000000, 0, 0};
    U_EQ(U_CALL(SYS_rt_sigaction, SIGCHLD, u_put(0, ignore, sizeof ignore), 0, 8), 0);
    U_CALL(SYS_umask, 0);
    generator_seed(run->config.seed);
    const struct call first = {.op = FORK};
    long pid = seat_fork(&first);
    seats[0].pid = pid;
    model_init(&model, seats[0].pid, run->config.wrong);
    direct_steps(&model);
    finish(&model);
    return 0;
}
