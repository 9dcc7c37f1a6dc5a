/* The simulated processes: each waits to be told a call, makes it, and waits
 * again.  What they and the director say to each other is in C variables,
 * outside of the simulated memory. */
#include "run.h"

#include "../host/user.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

struct seat {
    long pid;
    bool todo, done;
    struct call call;
    struct answer answer;
};

static struct seat seats[SEATS];

/* Those of a batch begin at the same moment, as near as the schedule allows. */
static unsigned expected, arrived;

void seats_meet(unsigned n)
{
    expected = n;
    arrived = 0;
}

static void meet(void)
{
    arrived++;
    while (arrived < expected)
        U_CALL(SYS_sched_yield);
}

static void on_signal(int sig) {}

static int seat_loop(uintptr_t number);

static long seat_fork(const struct call *c)
{
    seats[c->a[0]] = (struct seat){0};
    return u_fork(seat_loop, (uintptr_t)c->a[0]);
}

static void fork_as_told(struct seat *s)
{
    perform_begin(&s->call);
    s->answer.ret = seat_fork(&s->call);
    perform_end(&s->call, &s->answer);
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
        meet();
        if (s->call.op == FORK)
            fork_as_told(s);
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
void seat_wait_gone(int seat)
{
    while (U_CALL(SYS_kill, (unsigned long)seats[seat].pid, 0) != -ESRCH)
        U_CALL(SYS_sched_yield);
}

void seat_signal(int seat, int sig)
{
    U_EQ(U_CALL(SYS_kill, (unsigned long)seats[seat].pid, (unsigned long)sig), 0);
}

void seat_set_pid(int seat, long pid)
{
    seats[seat].pid = pid;
}

long seat_first(void)
{
    const struct call first = {.op = FORK};
    long pid = seat_fork(&first);
    seats[0].pid = pid;
    return pid;
}
