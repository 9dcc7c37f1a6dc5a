/* A run: a machine in a process of its own, which shares its list of steps. */
#include "run.h"

#include <abi/exit.h>
#include <host.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAM_BYTES  (24ul << 20)
#define POINTS_MAX 200000000ul

struct run *run_new(void)
{
    void *p =
        mmap(NULL, sizeof(struct run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        abort();
    return p;
}

static int boot(struct run *run)
{
    static const struct host_program programs[] = {
        {"/sbin/init", director_main}, {"/bin/seat", seat_main}, {0}};
    const struct host_config config = {
        .cpus = run->config.cpus,
        .ram_bytes = RAM_BYTES,
        .seed = run->config.seed,
        .programs = programs,
        .points_max = POINTS_MAX,
        .verbose = run->config.verbose,
    };
    director_begin(run);
    int code = host_boot(&config);
    if (code == EXIT_CODE_OK)
        return 0;
    snprintf(run->message, sizeof run->message, "step %u: the machine ends with %#x:\n%.1500s",
             run->at, (unsigned)code,
             host_console() + (strlen(host_console()) > 1500 ? strlen(host_console()) - 1500 : 0));
    return 1;
}

/* While a list is being shrunk, what the machine says about it would be said a
 * hundred times. */
static void be_silent(const struct run *run)
{
    if (!run->config.verbose && !freopen("/dev/null", "w", stderr))
        abort();
}

bool run_steps(struct run *run)
{
    run->message[0] = '\0';
    run->at = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        be_silent(run);
        exit(boot(run));
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    if (status != 0 && !run->message[0])
        snprintf(run->message, sizeof run->message,
                 "step %u: the machine dies (status %#x); --verbose shows how", run->at,
                 (unsigned)status);
    if (status != 0 && run->config.steps_max) {
        if (run->at < run->nsteps)
            run->nsteps = run->at + 1; /* generated so far; from now on the list is given */
        run->config.steps_max = 0;
    }
    return status == 0;
}
