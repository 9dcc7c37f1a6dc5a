/* A3: shmget, shmat, shmdt, shmctl with each of their allocations failing in turn. */
#include "failrow.h"

#include "sysv.h"

#define KEY  0x5e96
#define SIZE (20 * PAGE)

static int id;
static char *at;
static struct shmid_ds ds;

static void get_new(struct fail_step *call)
{
    CALL(shmget, KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
}

static void get_private(struct fail_step *call)
{
    CALL(shmget, IPC_PRIVATE, SIZE, 0600);
}

static void got(void)
{
    sysv_remove((int)row_result);
}

static void make(void)
{
    id = shmget(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    CHECK_OK(id);
}

static void end(void)
{
    sysv_remove(id);
}

static void get_old(struct fail_step *call)
{
    make();
    CALL(shmget, KEY, SIZE, 0600);
}

static void attach(struct fail_step *call)
{
    make();
    CALL(shmat, id, 0, 0);
}

static void attach_read_only(struct fail_step *call)
{
    make();
    CALL(shmat, id, 0, SHM_RDONLY);
}

/* Far from everything: new tables at every level. */
static void attach_far(struct fail_step *call)
{
    make();
    CALL(shmat, id, 0x100000000000, SHM_RND);
}

static void attached(void)
{
    CHECK_EQ(sysv_nattch(id), 1);
    CHECK_OK(shmdt((void *)row_result));
}

static void make_attached(void)
{
    make();
    at = sysv_attach(id, 0);
    memset(at, 1, SIZE);
}

static void attach_over(struct fail_step *call)
{
    make_attached();
    CALL(shmat, id, (long)at + 4 * (long)PAGE, SHM_REMAP);
}

static void attached_over(void)
{
    CHECK_EQ(at[3 * PAGE], 1);
    CHECK_OK(munmap(at + 4 * PAGE, SIZE));
}

static void detach_end(void)
{
    CHECK_EQ(at[0], 1);
    CHECK_OK(munmap(at, SIZE));
    sysv_remove(id);
}

static void detach(struct fail_step *call)
{
    make_attached();
    CALL(shmdt, (long)at);
}

static void unmap_middle(struct fail_step *call)
{
    make_attached();
    CALL(munmap, (long)at + 2 * (long)PAGE, PAGE);
}

static void fork_attached(struct fail_step *call)
{
    make_attached();
    CALL(fork);
}

static void forked(void)
{
    CHILD_EXITS((pid_t)row_result, 0);
    CHECK_EQ(sysv_nattch(id), 1);
}

static void stat_segment(struct fail_step *call)
{
    make();
    CALL(shmctl, id, IPC_STAT, (long)&ds);
}

static void set_segment(struct fail_step *call)
{
    make();
    ds = sysv_stat(id);
    CALL(shmctl, id, IPC_SET, (long)&ds);
}

static void segment_info(struct fail_step *call)
{
    static struct shm_info info;

    make();
    CALL(shmctl, 0, SHM_INFO, (long)&info);
}

static void lock_segment(struct fail_step *call)
{
    make();
    CALL(shmctl, id, SHM_LOCK);
}

static void remove_segment(struct fail_step *call)
{
    make();
    CALL(shmctl, id, IPC_RMID);
}

static void remove_attached(struct fail_step *call)
{
    make_attached();
    CALL(shmctl, id, IPC_RMID);
}

static void removed(void)
{
    CHECK_OK(shmdt(at));
    sysv_must_be_gone(id);
}

static void touch(struct fail_step *call)
{
    make();
    at = sysv_attach(id, 0);
    *at = 1;
    TOUCH(WRITE, at + 5 * (long)PAGE);
}

static const struct fail_row rows[] = {
    ROW("shmget, new", get_new, got, NULL),
    ROW("shmget, IPC_PRIVATE", get_private, got, NULL),
    ROW("shmget, there already", get_old, NULL, end, NONE),
    ROW("shmat", attach, attached, end),
    ROW("shmat, read-only", attach_read_only, attached, end),
    ROW("shmat, far away", attach_far, attached, end),
    ROW("shmat, SHM_REMAP", attach_over, attached_over, detach_end),
    ROW("shmdt", detach, NULL, end, NONE),
    ROW("munmap, the middle of a segment", unmap_middle, NULL, detach_end),
    ROW("fork with a segment", fork_attached, forked, detach_end, .errors = {ENOMEM, EAGAIN},
        .flags = ROW_FORKS),
    ROW("IPC_STAT", stat_segment, NULL, end, NONE),
    ROW("IPC_SET", set_segment, NULL, end, NONE),
    ROW("SHM_INFO", segment_info, NULL, end, NONE),
    ROW("SHM_LOCK", lock_segment, NULL, end, NONE),
    ROW("IPC_RMID", remove_segment, NULL, NULL, NONE),
    ROW("IPC_RMID while attached", remove_attached, removed, NULL, NONE),
    ROW("a touch of a segment", touch, NULL, detach_end, .errors = {EFAULT}),
};

int main(void)
{
    ROWS(rows);
    return check_done();
}
