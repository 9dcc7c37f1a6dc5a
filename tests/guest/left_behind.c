/* Shutdown with processes alive in every state: init just returns, and the audit must find
 * everything back. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "child.h"
#include "regions.h"

#define PAGE 4096ul

static void hold(void)
{
    void *p;

    for (;;) {
        if (createMapping("held", &p) == ERR_OK)
            *(volatile char *)p = 1;
        pause();
    }
}

static void spin(void *arg)
{
    (void)arg;
    for (volatile unsigned i = 0;; i++)
        ;
}

static void sleeper(void *arg)
{
    (void)arg;
    sleep(1000);
}

static void holder(void *arg)
{
    void *p;

    CHECK_ERR(createMapping("held", &p), ERR_OK);
    CHECK_ERR(lockRegion("held"), ERR_OK);
    gate_open(arg, 1);
    hold();
}

static void locker(void *arg)
{
    void *p;

    CHECK_ERR(createMapping("held", &p), ERR_OK);
    gate_open(arg, 1);
    (void)lockRegion("held");
}

static void destroyer(void *arg)
{
    (void)arg;
    (void)destroySharedRegion("held");
}

static void reader(void *arg)
{
    (void)arg;
    struct gate mine = gate_make();

    gate_pass(&mine);
}

static void stopped(void *arg)
{
    (void)arg;
    raise(SIGSTOP);
}

static void vfork_parent(void *arg)
{
    (void)arg;
    if (vfork() == 0)
        for (;;)
            pause();
}

static void zombie_parent(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        (void)child_start(stopped, NULL);
    if (fork() == 0)
        _exit(3);
    for (;;)
        pause();
}

int main(void)
{
    struct gate g = gate_make();
    child_fn *const others[] = {spin,         sleeper,       reader, stopped,
                                vfork_parent, zombie_parent, spin,   destroyer};

    CHECK_ERR(createSharedRegion("held", 4 * PAGE, RS_PERSIST), ERR_OK);
    (void)child_start(holder, &g);
    gate_pass(&g);
    (void)child_start(locker, &g);
    gate_pass(&g);
    for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        (void)child_start(others[i], &g);
    check_sleep_ms(30);
    return 0;
}
