/* R4, A4: a region's life is the same in every order of its users' ends, and whichever way each of
 * them ends: by unmapping, exit, exec or kill, the creator with or without a mapping of its own. */
#include "child.h"
#include "regions.h"

#define PAGE    4096ul
#define PARTIES 3 /* the creator and two mappers */

enum end {
    END_EXIT,
    END_KILL,
    END_UNMAP,
    END_EXEC,
    ENDS
};

static const char *self;
static const int orders[6][PARTIES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
static struct gate done, go[PARTIES];

struct party {
    pid_t pid;
    enum end end;
    bool maps;
    int number;
};

static void become_another(int number)
{
    char go_text[8], done_text[8];

    snprintf(go_text, sizeof(go_text), "%d", go[number].fd[0]);
    snprintf(done_text, sizeof(done_text), "%d", done.fd[1]);
    execl(self, self, go_text, done_text, (char *)NULL);
    CHECK(false, "exec: %s", strerror(errno));
}

/* The program that become_another runs: says that it is there, and waits for its end. */
static int waiting_program(char **argv)
{
    char c;

    return write(atoi(argv[2]), "g", 1) == 1 && read(atoi(argv[1]), &c, 1) == 1 ? 0 : 1;
}

static void party_live(void *arg)
{
    const struct party *p = arg;
    void *beg = NULL;

    if (p->number == 0)
        CHECK_ERR(createSharedRegion("order", PAGE, RS_DEFAULT), ERR_OK);
    if (p->maps)
        beg = region_map("order");
    gate_open(&done, 1);
    gate_pass(&go[p->number]);
    if (p->end == END_EXEC)
        become_another(p->number);
    if (p->end == END_UNMAP) {
        region_unmap("order", beg);
        gate_open(&done, 1);
        gate_pass(&go[p->number]);
    }
}

/* Returns when the party has let go; who only unmapped or became another program lives on. */
static void party_go(const struct party *p)
{
    if (p->end == END_KILL) {
        child_kill(p->pid);
        return;
    }
    gate_open(&go[p->number], 1);
    if (p->end == END_EXIT)
        CHILD_EXITS(p->pid, 0);
    else
        gate_pass(&done);
}

static void party_bury(const struct party *p)
{
    if (p->end != END_UNMAP && p->end != END_EXEC)
        return;
    gate_open(&go[p->number], 1);
    CHILD_EXITS(p->pid, 0);
}

static void live_in_order(const int *order, struct party *parties)
{
    unsigned mappings = 0;

    for (int i = 0; i < PARTIES; i++) {
        parties[i].number = i;
        parties[i].pid = child_start(party_live, &parties[i]);
        gate_pass(&done);
        mappings += parties[i].maps;
    }
    for (int i = 0; i < PARTIES; i++) {
        const struct party *p = &parties[order[i]];
        struct region_line seen = region_look("order");

        CHECK(seen.found, "R4: gone before party %d, who ends by %d", order[i], p->end);
        CHECK_EQ(seen.mappings, mappings);
        party_go(p);
        mappings -= p->maps;
    }
    CHECK(!region_look("order").found, "R4: still there, order %d %d %d, ends %d %d %d", order[0],
          order[1], order[2], parties[0].end, parties[1].end, parties[2].end);
    for (int i = 0; i < PARTIES; i++)
        party_bury(&parties[i]);
}

/* Every order and every way of the mappers; the creator exits or is killed, as its life counts. */
static void every_order(bool creator_maps, enum end creator_end)
{
    done = gate_make();
    for (unsigned i = 0; i < PARTIES; i++)
        go[i] = gate_make();
    for (unsigned o = 0; o < 6; o++)
        for (enum end a = 0; a < ENDS; a++)
            for (enum end b = 0; b < ENDS; b++) {
                struct party parties[PARTIES] = {
                    {.end = creator_end, .maps = creator_maps},
                    {.end = a, .maps = true},
                    {.end = b, .maps = true},
                };

                live_in_order(orders[o], parties);
            }
    region_must_be_gone("order", "R4");
}

static void case_creator_maps_and_exits(void)
{
    every_order(true, END_EXIT);
}

static void case_creator_never_maps_and_exits(void)
{
    every_order(false, END_EXIT);
}

static void case_creator_never_maps_and_is_killed(void)
{
    every_order(false, END_KILL);
}

/* Nobody ever maps it. */
static void case_never_mapped(void)
{
    const enum end ends[] = {END_EXIT, END_KILL};

    done = gate_make();
    go[0] = gate_make();
    for (unsigned i = 0; i < 2; i++) {
        struct party p = {.end = ends[i]};

        p.pid = child_start(party_live, &p);
        gate_pass(&done);
        CHECK(region_look("order").found, "R4: the creator lives");
        party_go(&p);
        region_must_be_gone("order", "R4: never mapped, and the creator went:");
    }
}

int main(int argc, char **argv)
{
    if (argc > 2)
        return waiting_program(argv);
    self = argv[0];
    RUN(case_creator_maps_and_exits);
    RUN(case_creator_never_maps_and_exits);
    RUN(case_creator_never_maps_and_is_killed);
    RUN(case_never_mapped);
    return check_done();
}
