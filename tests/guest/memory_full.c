/* Uses all memory there is: whoever does it may die, everybody else goes on, and all of it comes
 * back. */
#include <sys/mman.h>

#include "child.h"

#define CHUNK_BYTES (256ul * 1024)

/* Touches memory until there is none and reports each chunk; ends by itself or by a signal. */
static void eat(void *arg)
{
    const struct gate *g = arg;

    for (;;) {
        char *p =
            mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) {
            CHECK_EQ(errno, ENOMEM);
            _exit(0);
        }
        for (size_t i = 0; i < CHUNK_BYTES; i += 4096)
            p[i] = 1;
        gate_open(g, 1);
    }
}

static unsigned eat_once(void)
{
    struct gate g = gate_make();
    pid_t pid = child_start(eat, &g);
    unsigned chunks = 0;
    char buffer[512];
    ssize_t n;
    int status;

    child_settle();
    close(g.fd[1]);
    while ((n = read(g.fd[0], buffer, sizeof(buffer))) > 0)
        chunks += (unsigned)n;
    status = child_any_end(pid, CHECK_LIMIT_MS / 2);
    CHECK(status == 0 ||
              (WIFSIGNALED(status) && (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGKILL)),
          "the eater ended with status 0x%x", (unsigned)status);
    close(g.fd[0]);
    return chunks;
}

static void case_eat_and_give_back(void)
{
    unsigned first = eat_once();

    for (unsigned i = 0; i < 3; i++) {
        unsigned again = eat_once();

        CHECK(again >= 8 && again * 10 >= first * 9, "%u chunks, the first time %u", again, first);
    }
}

static void work(void *arg)
{
    volatile unsigned sum = 0;

    child_settle();
    gate_open(arg, 1);
    for (unsigned i = 0; i < 3000; i++) {
        sum += i;
        check_sleep_ms(i % 1000 == 0);
    }
    CHECK_EQ(sum, 2999u * 3000 / 2);
}

static void case_two_eaters_and_a_worker(void)
{
    struct gate g = gate_make(), ready = gate_make();
    pid_t worker = child_start(work, &ready), a, b;
    char buffer[512];

    gate_pass(&ready);
    a = child_start(eat, &g);
    b = child_start(eat, &g);
    child_settle();
    close(g.fd[1]);
    while (read(g.fd[0], buffer, sizeof(buffer)) > 0)
        ;
    CHECK(child_any_end(a, CHECK_LIMIT_MS / 3) != -1, "the first eater ends");
    CHECK(child_any_end(b, CHECK_LIMIT_MS / 3) != -1, "the second eater ends");
    CHILD_EXITS(worker, 0);
}

/* A region's memory is promised (A7): what cannot be promised is refused, and nothing is lost by
 * asking. */
static void case_region_promise(void)
{
    unsigned before = eat_once(), after;
    unsigned n = 0;
    char name[32];

    for (;;) {
        err_t err;

        snprintf(name, sizeof(name), "promise%u", n);
        err = createSharedRegion(name, 1 << 20, RS_DEFAULT);
        if (err == ERR_NOMEM)
            break;
        CHECK_ERR(err, ERR_OK);
        CHECK(++n < 1000, "A7: a thousand mebibytes were promised");
    }
    CHECK(n >= 4, "A7: only %u MiB can be promised", n);
    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "promise%u", i);
        CHECK_ERR(destroySharedRegion(name), ERR_OK);
    }
    after = eat_once();
    CHECK(after * 10 >= before * 9, "%u chunks before, %u after", before, after);
}

/* A7: memory that was promised can be touched when all other memory is gone. */
static void case_promise_is_kept(void)
{
    struct gate g = gate_make();
    void *beg = NULL;
    pid_t pid;
    char c;

    CHECK_ERR(createSharedRegion("kept", 4 << 20, RS_DEFAULT), ERR_OK);
    CHECK_ERR(createMapping("kept", &beg), ERR_OK);
    pid = child_start(eat, &g);
    child_settle();
    close(g.fd[1]);
    while (read(g.fd[0], &c, 1) > 0)
        ((volatile char *)beg)[rand() % (4 << 20)] = 1;
    for (size_t i = 0; i < 4 << 20; i += 4096)
        ((volatile char *)beg)[i] = 1;
    child_any_end(pid, CHECK_LIMIT_MS / 2);
    CHECK_ERR(destroyMapping("kept", beg), ERR_OK);
}

int main(void)
{
    RUN(case_eat_and_give_back);
    RUN(case_two_eaters_and_a_worker);
    RUN(case_region_promise);
    RUN(case_promise_is_kept);
    return check_done();
}
