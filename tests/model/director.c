/* Who makes which call when.  init directs; each seat is a process that waits
 * to be told (seats.c).
 */
#include "run.h"

#include "../host/user.h"
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#define CHECK_EVERY 8 /* steps */

static struct run *run;
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

bool answer_fits(const struct call *c, const struct answer *got, const struct answer *want,
                 char why[WHY_BYTES])
{
    if (got->ret != want->ret) {
        snprintf(why, WHY_BYTES, "%s of seat %u answers %ld, must %ld", op_name(c->op), c->seat,
                 got->ret, want->ret);
        return false;
    }
    for (int i = 0; i < OUTS; i++)
        if (got->out[i] != want->out[i]) {
            snprintf(why, WHY_BYTES, "%s of seat %u says %ld in place %d, must %ld", op_name(c->op),
                     c->seat, got->out[i], i, want->out[i]);
            return false;
        }
    for (int i = 0; c->op == LOOK && i < PAGE; i++)
        if (got->page[i] != want->page[i]) {
            snprintf(why, WHY_BYTES, "seat %u finds %#x at %#lx, must find %#x", c->seat,
                     got->page[i], c->a[0] + i, want->page[i]);
            return false;
        }
    return true;
}

static void compare(const struct call *c, const struct answer *got, const struct answer *want)
{
    char why[WHY_BYTES];
    if (!answer_fits(c, got, want, why))
        run_fails("%s", why);
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
        if (m->proc[i].alive && m->proc[i].asleep && seat_is_done(i))
            run_fails("the %s of seat %d answers %ld, must sleep", op_name(m->proc[i].call.op), i,
                      seat_wait(i)->ret);
}

const struct answer *call_end(const struct call *c)
{
    static const struct answer none;
    if (c->op == KILL || c->op == EXIT)
        seat_wait_gone(c->seat);
    if (c->op == KILL || c->op == EXIT || c->op == INTR)
        return &none;
    const struct answer *got = seat_wait(c->seat);
    if (c->op == FORK)
        seat_set_pid((int)c->a[0], got->ret);
    return got;
}

static void make_call(struct model *m, const struct call *c)
{
    struct answer want;
    if (c->op == KILL || c->op == INTR)
        seat_signal(c->seat, c->op == KILL ? SIGKILL : SIGUSR1);
    else
        seat_give(c);
    const struct answer *got = call_end(c);
    model_apply(m, c, got, &want);
    compare(c, got, &want);
}

/* One call, to its end and that of all sleeps it ends. */
static void direct_call(struct model *m, const struct call *c)
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

void direct_step(struct model *m, const struct step *s)
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
    maps_compare(m, c.seat);
    if (c.op == FORK)
        maps_compare(m, (int)c.a[0]);
    if (run->at % CHECK_EVERY == 0)
        check_invariants();
}

/* The next step, and those that are made together with it; how many. */
static unsigned gather(const struct model *m, struct step **first)
{
    bool generates = run->config.steps_max > 0;
    unsigned n = 0;
    *first = &run->steps[run->at];
    do {
        struct step *s = &run->steps[run->at + n];
        if (generates)
            generate(m, s);
        if (generates && run->config.concurrent)
            s->how = generator_random(3) > 0 ? HOW_TOGETHER : HOW_ALONE;
        n++;
    } while ((*first)[n - 1].how == HOW_TOGETHER && n < TOGETHER && run->at + n < run->nsteps);
    return n;
}

static void direct_steps(struct model *m)
{
    if (run->config.steps_max > 0)
        run->nsteps = run->config.steps_max;
    while (run->at < run->nsteps) {
        struct step *first;
        unsigned n = gather(m, &first);
        run->at += n - 1;
        if (n > 1)
            direct_batch(m, first, n);
        else
            direct_step(m, first);
        run->at++;
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
    generator_seed(run->config.seed, run->config.concurrent);
    model_init(&model, seat_first(), run->config.wrong);
    direct_steps(&model);
    finish(&model);
    return 0;
}
