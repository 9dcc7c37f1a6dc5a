/* R3, R4, A4: how long a region lives, in every order of its creator's and its mappers' ends. */
#include "child.h"
#include "regions.h"

#define PAGE 4096ul

static const char *self;

struct party {
    const char *name;
    unsigned flags;
    struct gate ready, go;
};

static struct party party(const char *name, unsigned flags)
{
    return (struct party){name, flags, gate_make(), gate_make()};
}

static void creator(void *arg)
{
    struct party *p = arg;

    CHECK_ERR(createSharedRegion(p->name, PAGE, p->flags), ERR_OK);
    gate_open(&p->ready, 1);
    gate_pass(&p->go);
}

static void mapping_creator(void *arg)
{
    struct party *p = arg;

    CHECK_ERR(createSharedRegion(p->name, PAGE, p->flags), ERR_OK);
    *(int *)region_map(p->name) = 77;
    gate_open(&p->ready, 1);
    gate_pass(&p->go);
}

static void mapper(void *arg)
{
    struct party *p = arg;
    volatile int *beg = region_map(p->name);

    gate_open(&p->ready, 1);
    gate_pass(&p->go);
    CHECK_EQ(*beg, 77);
}

static void unmapper(void *arg)
{
    struct party *p = arg;
    void *beg = region_map(p->name);

    gate_open(&p->ready, 1);
    gate_pass(&p->go);
    region_unmap(p->name, beg);
    gate_open(&p->ready, 1);
    gate_pass(&p->go);
}

static void execing_mapper(void *arg)
{
    struct party *p = arg;
    char *argv[] = {(char *)self, "wait", NULL};

    region_map(p->name);
    dup2(p->go.fd[0], 50);
    dup2(p->ready.fd[1], 51);
    gate_open(&p->ready, 1);
    gate_pass(&p->go);
    execv(self, argv);
    CHECK(false, "exec: %s", strerror(errno));
}

/* The program that execing_mapper becomes. */
static int wait_program(void)
{
    char c;

    return write(51, "r", 1) == 1 && read(50, &c, 1) == 1 ? 0 : 1;
}

static pid_t start(child_fn *fn, struct party *p)
{
    pid_t pid = child_start(fn, p);

    gate_pass(&p->ready);
    return pid;
}

static void end(struct party *p, pid_t pid)
{
    gate_open(&p->go, 1);
    CHILD_EXITS(pid, 0);
}

static void case_never_mapped(void)
{
    struct party p = party("never", RS_DEFAULT);
    pid_t pid = start(creator, &p);

    CHECK(region_look("never").found, "R4: the creator lives");
    CHECK_ERR(createSharedRegion("never", PAGE, RS_DEFAULT), ERR_EXIST);
    end(&p, pid);
    region_must_be_gone("never", "R4: the creator, who was all, went:");
}

static void case_creator_first(void)
{
    struct party p = party("first", RS_DEFAULT), m = party("first", 0);
    pid_t a = start(mapping_creator, &p), b = start(mapper, &m);

    end(&p, a);
    CHECK_EQ(region_look("first").mappings, 1);
    CHECK_ERR(createSharedRegion("first", PAGE, RS_DEFAULT), ERR_EXIST);
    end(&m, b);
    region_must_be_gone("first", "R4: the last mapper exited:");
}

static void case_mapper_first(void)
{
    struct party p = party("later", RS_DEFAULT), m = party("later", 0);
    pid_t a = start(mapping_creator, &p), b = start(mapper, &m);

    end(&m, b);
    CHECK_EQ(region_look("later").mappings, 1);
    end(&p, a);
    region_must_be_gone("later", "R4: the creator, mapped, was the last:");
}

static void case_last_unmap(void)
{
    struct party p = party("unmap", RS_DEFAULT), m = party("unmap", 0);
    pid_t a = start(creator, &p), b = start(unmapper, &m);

    end(&p, a);
    CHECK_EQ(region_look("unmap").mappings, 1);
    gate_open(&m.go, 1);
    gate_pass(&m.ready);
    region_must_be_gone("unmap", "R4: the last mapper unmapped, and lives on:");
    end(&m, b);
}

static void case_last_exec(void)
{
    struct party p = party("exec", RS_DEFAULT), m = party("exec", 0);
    pid_t a = start(creator, &p), b = start(execing_mapper, &m);

    end(&p, a);
    CHECK_EQ(region_look("exec").mappings, 1);
    gate_open(&m.go, 1);
    gate_pass(&m.ready);
    region_must_be_gone("exec", "A4: the last mapper became another program:");
    end(&m, b);
}

static void case_last_killed(void)
{
    struct party p = party("killed", RS_DEFAULT), m = party("killed", 0);
    pid_t a = start(creator, &p), b = start(mapper, &m);

    child_kill(a);
    CHECK_EQ(region_look("killed").mappings, 1);
    child_kill(b);
    region_must_be_gone("killed", "A4: the last mapper was killed:");
}

/* Unmapping by all is not the end while the creator lives. */
static void case_creator_alone(void)
{
    struct party m = party("alone", 0);
    int *beg = region_new("alone", PAGE);
    pid_t b;

    *beg = 77;
    region_unmap("alone", beg);
    b = start(mapper, &m);
    end(&m, b);
    beg = region_map("alone");
    CHECK_EQ(*beg, 77);
    region_unmap("alone", beg);
    CHECK_ERR(destroySharedRegion("alone"), ERR_OK);
}

#define CREATED 200u /* its end takes several pieces */

static const char *many_name(unsigned i)
{
    static char name[16];

    snprintf(name, sizeof(name), "many%u", i);
    return name;
}

static void creator_of_many(void *arg)
{
    struct party *p = arg;

    for (unsigned i = 0; i < CREATED; i++)
        CHECK_ERR(createSharedRegion(many_name(i), PAGE, RS_DEFAULT), ERR_OK);
    gate_open(&p->ready, 1);
    gate_pass(&p->go);
}

/* All that nobody else has mapped end with their creator. */
static void case_creator_of_many(void)
{
    struct party p = party("many", RS_DEFAULT);
    pid_t pid = start(creator_of_many, &p);
    int *mapped[CREATED] = {0};
    struct region_stat st;

    for (unsigned i = 0; i < CREATED; i += 7) {
        mapped[i] = region_map(many_name(i));
        *mapped[i] = (int)i;
    }
    end(&p, pid);
    for (unsigned i = 0; i < CREATED; i++) {
        CHECK_ERR(statRegion(many_name(i), &st), mapped[i] ? ERR_OK : ERR_NOTEXIST);
        if (mapped[i]) {
            CHECK_EQ(*mapped[i], i);
            region_unmap(many_name(i), mapped[i]);
            CHECK_ERR(statRegion(many_name(i), &st), ERR_NOTEXIST);
        }
    }
}

static void case_persistent(void)
{
    struct party p = party("persist", RS_PERSIST);
    pid_t a = start(mapping_creator, &p);
    int *beg;

    end(&p, a);
    CHECK(region_look("persist").found, "R4: RS_PERSIST outlives its creator");
    CHECK_EQ(region_look("persist").mappings, 0);
    beg = region_map("persist");
    CHECK_EQ(*beg, 77);
    region_unmap("persist", beg);
    beg = region_map("persist");
    CHECK_EQ(*beg, 77);
    region_unmap("persist", beg);
    CHECK_ERR(createSharedRegion("persist", PAGE, RS_DEFAULT), ERR_EXIST);
    CHECK_ERR(destroySharedRegion("persist"), ERR_OK);
    region_must_be_gone("persist", "R4");
}

/* A child of the creator is not the creator, but has the mappings it inherited (A5). */
static void creator_with_child(void *arg)
{
    struct party *p = arg;

    mapping_creator(p);
    if (fork() == 0) {
        gate_open(&p->ready, 1);
        gate_pass(&p->go);
        _exit(0);
    }
}

static void case_inherited_mapping(void)
{
    struct party p = party("inherit", RS_DEFAULT);
    pid_t a = start(creator_with_child, &p);

    end(&p, a);
    gate_pass(&p.ready);
    CHECK_EQ(region_look("inherit").mappings, 1);
    gate_open(&p.go, 1);
    WAIT_UNTIL(!region_look("inherit").found, "R4: the last mapping was inherited, and is gone");
    region_must_be_gone("inherit", "R4");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return wait_program();
    self = argv[0];
    RUN(case_never_mapped);
    RUN(case_creator_first);
    RUN(case_mapper_first);
    RUN(case_last_unmap);
    RUN(case_last_exec);
    RUN(case_last_killed);
    RUN(case_creator_alone);
    RUN(case_creator_of_many);
    RUN(case_persistent);
    RUN(case_inherited_mapping);
    return check_done();
}
