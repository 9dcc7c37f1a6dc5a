/* A3: every call of the region service with each of its allocations failing in turn. */
#include "failrow.h"

#include <shoal/syscall.h>

#define SIZE (20 * PAGE)

static void *mapped, *second;
static struct region_stat stat_out;
static struct region_map how;

static void make(void)
{
    CHECK_ERR(createSharedRegion("fail", SIZE, RS_DEFAULT), ERR_OK);
}

static void destroy(void)
{
    CHECK_ERR(destroySharedRegion("fail"), ERR_OK);
}

static void make_mapped(void)
{
    make();
    mapped = region_map("fail");
    *(volatile char *)mapped = 1;
}

static void unmap(void)
{
    region_unmap("fail", mapped);
}

static void unmap_destroy(void)
{
    unmap();
    destroy();
}

static void create(struct fail_step *call)
{
    SHOAL_CALL(createSharedRegion, (long)"fail", SIZE, RS_DEFAULT);
}

static void create_noreserve(struct fail_step *call)
{
    SHOAL_CALL(createSharedRegion, (long)"fail", SIZE, RS_PERSIST | RS_NORESERVE);
}

static void created(void)
{
    destroy();
}

static void map(struct fail_step *call)
{
    make();
    SHOAL_CALL(createMapping, (long)"fail", (long)&mapped);
}

static void map_with(struct fail_step *call)
{
    make();
    SHOAL_CALL(createMappingWith, (long)"fail", (long)&mapped, (long)&how);
}

static void map_read_only(struct fail_step *call)
{
    how = (struct region_map){.flags = RM_RDONLY, .offset_bytes = PAGE, .length_bytes = 3 * PAGE};
    map_with(call);
}

static void map_private(struct fail_step *call)
{
    how = (struct region_map){.flags = RM_PRIVATE};
    map_with(call);
}

static void map_fixed(struct fail_step *call)
{
    how = (struct region_map){.flags = RM_FIXED, .addr = 0x200000000000};
    map_with(call);
}

static void map_populate(struct fail_step *call)
{
    how = (struct region_map){.flags = RM_POPULATE, .length_bytes = 3 * PAGE};
    map_with(call);
}

static void map_again(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(createMapping, (long)"fail", (long)&second);
}

static void mapped_again(void)
{
    CHECK_EQ(region_look("fail").mappings, 2);
    region_unmap("fail", second);
}

static void unmap_one(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(destroyMapping, (long)"fail", (long)mapped + PAGE);
}

static void destroy_now(struct fail_step *call)
{
    make();
    SHOAL_CALL(destroySharedRegion, (long)"fail");
}

static void destroy_unlink(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(destroySharedRegionWith, (long)"fail", RS_UNLINK);
}

static void unlinked(void)
{
    CHECK_ERR(createMapping("fail", &second), ERR_NOTEXIST);
    CHECK_OK(munmap(mapped, SIZE));
}

static void lock(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(lockRegion, (long)"fail");
}

static void locked(void)
{
    CHECK_ERR(unlockRegion("fail"), ERR_OK);
}

static void try_lock(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(tryLockRegion, (long)"fail");
}

static void unlock(struct fail_step *call)
{
    make_mapped();
    CHECK_ERR(lockRegion("fail"), ERR_OK);
    SHOAL_CALL(unlockRegion, (long)"fail");
}

static void stat_region(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(statRegion, (long)"fail", (long)&stat_out);
}

static void chmod_region(struct fail_step *call)
{
    make_mapped();
    SHOAL_CALL(chmodRegion, (long)"fail", 0640);
}

static void munmap_middle(struct fail_step *call)
{
    make_mapped();
    memset(mapped, 1, SIZE);
    CALL(munmap, (long)mapped + 2 * PAGE, PAGE);
}

static void mprotect_middle(struct fail_step *call)
{
    make_mapped();
    memset(mapped, 1, SIZE);
    CALL(mprotect, (long)mapped + 2 * PAGE, PAGE, PROT_READ);
}

static void unmap_all(void)
{
    CHECK_OK(munmap(mapped, SIZE));
    destroy();
}

static void touch_new(struct fail_step *call)
{
    make_mapped();
    TOUCH(WRITE, mapped + 5 * PAGE);
}

static const struct fail_row rows[] = {
    ROW("createSharedRegion", create, created, NULL),
    ROW("createSharedRegion, not promised", create_noreserve, created, NULL),
    ROW("createMapping", map, unmap, destroy),
    ROW("createMappingWith, a part, read-only", map_read_only, unmap, destroy),
    ROW("createMappingWith, private", map_private, unmap, destroy),
    ROW("createMappingWith, fixed", map_fixed, unmap, destroy),
    ROW("createMappingWith, populate", map_populate, unmap, destroy, .flags = ROW_SURVIVES),
    ROW("createMapping, a second time", map_again, mapped_again, unmap_destroy),
    ROW("munmap, the middle", munmap_middle, NULL, unmap_all),
    ROW("mprotect, the middle", mprotect_middle, NULL, unmap_all),
    ROW("a touch of a new page", touch_new, NULL, unmap_destroy, .errors = {EFAULT}),
};

static const struct fail_row giving_back[] = {
    ROW("destroyMapping", unmap_one, NULL, destroy, NONE),
    ROW("destroySharedRegion", destroy_now, NULL, NULL, NONE),
    ROW("destroySharedRegionWith, unlink", destroy_unlink, unlinked, NULL, NONE),
    ROW("lockRegion", lock, locked, unmap_destroy, NONE),
    ROW("tryLockRegion", try_lock, locked, unmap_destroy, NONE),
    ROW("unlockRegion", unlock, NULL, unmap_destroy, NONE),
    ROW("statRegion", stat_region, NULL, unmap_destroy, NONE),
    ROW("chmodRegion", chmod_region, NULL, unmap_destroy, NONE),
};

int main(void)
{
    ROWS(rows);
    ROWS(giving_back);
    return check_done();
}
