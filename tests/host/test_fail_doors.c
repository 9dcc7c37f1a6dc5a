/* A3: every call of every door with each of its allocations failing in turn. */
#include "failrow.h"

#define SIZE (20 * U_PAGE)

static uintptr_t mapped;
static long id;

/* ---- named regions */

static void make(void)
{
    U_EQ(u_create("fail", SIZE, RS_DEFAULT), 0);
}

static void make_mapped(void)
{
    mapped = u_new("fail", SIZE, RS_DEFAULT);
    u_store8(mapped, 1);
}

static void destroy(void)
{
    U_EQ(u_destroy("fail"), 0);
}

static void unmap(void)
{
    U_EQ(u_unmap("fail", mapped), 0);
}

static void unmap_destroy(void)
{
    unmap();
    destroy();
}

static void unmap_all(void)
{
    U_EQ(U_CALL(SYS_munmap, mapped, SIZE), 0);
    destroy();
}

static struct fail_call create(void)
{
    return CALL(SHOAL_SYS_createSharedRegion, box_string("fail"), SIZE, RS_DEFAULT);
}

static struct fail_call create_unpromised(void)
{
    return CALL(SHOAL_SYS_createSharedRegion, box_string("fail"), SIZE, RS_PERSIST | RS_NORESERVE);
}

static void created(long result)
{
    destroy();
}

static uintptr_t told; /* where createMapping stores the address */

static struct fail_call map(void)
{
    make();
    told = box_room(8);
    return CALL(SHOAL_SYS_createMapping, box_string("fail"), told);
}

static void must_be_mapped(long result)
{
    uintptr_t at;
    u_get(told, &at, sizeof at);
    U_EQ(u_unmap("fail", at), 0);
}

static struct fail_call map_with(struct region_map how)
{
    make();
    told = box_room(8);
    return CALL(SHOAL_SYS_createMappingWith, box_string("fail"), told, box_put(&how, sizeof how));
}

static struct fail_call map_read_only(void)
{
    return map_with((struct region_map){
        .flags = RM_RDONLY, .offset_bytes = U_PAGE, .length_bytes = 3 * U_PAGE});
}

static struct fail_call map_private(void)
{
    return map_with((struct region_map){.flags = RM_PRIVATE});
}

static struct fail_call map_fixed(void)
{
    return map_with((struct region_map){.flags = RM_FIXED, .addr = U_FAR});
}

static struct fail_call map_populate(void)
{
    return map_with((struct region_map){.flags = RM_POPULATE, .length_bytes = 3 * U_PAGE});
}

static struct fail_call map_again(void)
{
    make_mapped();
    told = box_room(8);
    return CALL(SHOAL_SYS_createMapping, box_string("fail"), told);
}

static struct fail_call unmap_one(void)
{
    make_mapped();
    return CALL(SHOAL_SYS_destroyMapping, box_string("fail"), mapped + U_PAGE);
}

static struct fail_call destroy_now(void)
{
    make();
    return CALL(SHOAL_SYS_destroySharedRegion, box_string("fail"));
}

static struct fail_call destroy_unlink(void)
{
    make_mapped();
    return CALL(SHOAL_SYS_destroySharedRegionWith, box_string("fail"), RS_UNLINK);
}

static void unlinked(long result)
{
    U_EQ(u_map("fail", &told), ERR_NOTEXIST);
    U_EQ(U_CALL(SYS_munmap, mapped, SIZE), 0);
}

static struct fail_call lock(void)
{
    make_mapped();
    return CALL(SHOAL_SYS_lockRegion, box_string("fail"));
}

static void locked(long result)
{
    U_EQ(u_unlock("fail"), 0);
}

static struct fail_call unlock(void)
{
    make_mapped();
    U_EQ(u_lock("fail"), 0);
    return CALL(SHOAL_SYS_unlockRegion, box_string("fail"));
}

static struct fail_call stat_region(void)
{
    make_mapped();
    return CALL(SHOAL_SYS_statRegion, box_string("fail"), box_room(sizeof(struct region_stat)));
}

static struct fail_call chmod_region(void)
{
    make_mapped();
    return CALL(SHOAL_SYS_chmodRegion, box_string("fail"), 0640);
}

static struct fail_call munmap_middle(void)
{
    make_mapped();
    u_fill(mapped, 20, 1);
    return CALL(SYS_munmap, mapped + 2 * U_PAGE, U_PAGE);
}

static struct fail_call mprotect_middle(void)
{
    make_mapped();
    u_fill(mapped, 20, 1);
    return CALL(SYS_mprotect, mapped + 2 * U_PAGE, U_PAGE, PROT_READ);
}

static struct fail_call touch(void)
{
    make_mapped();
    return CALL(TOUCH_WRITE, mapped + 5 * U_PAGE);
}

#define NONE  .flags = ROW_NEEDS_NONE
#define FAULT .errors = {EFAULT}

static const struct fail_row native[] = {
    ROW("createSharedRegion", create, created, NULL),
    ROW("createSharedRegion, not promised", create_unpromised, created, NULL),
    ROW("createMapping", map, must_be_mapped, destroy),
    ROW("createMappingWith, a part, read-only", map_read_only, must_be_mapped, destroy),
    ROW("createMappingWith, private", map_private, must_be_mapped, destroy),
    ROW("createMappingWith, fixed", map_fixed, must_be_mapped, destroy),
    ROW("createMappingWith, populate", map_populate, must_be_mapped, destroy,
        .flags = ROW_SURVIVES),
    ROW("createMapping, a second time", map_again, must_be_mapped, unmap_destroy),
    ROW("munmap, the middle", munmap_middle, NULL, unmap_all),
    ROW("mprotect, the middle", mprotect_middle, NULL, unmap_all),
    ROW("a touch of a new page", touch, NULL, unmap_destroy, FAULT),
    ROW("destroyMapping", unmap_one, NULL, destroy, NONE),
    ROW("destroySharedRegion", destroy_now, NULL, NULL, NONE),
    ROW("destroySharedRegionWith, unlink", destroy_unlink, unlinked, NULL, NONE),
    ROW("lockRegion", lock, locked, unmap_destroy, NONE),
    ROW("unlockRegion", unlock, NULL, unmap_destroy, NONE),
    ROW("statRegion", stat_region, NULL, unmap_destroy, NONE),
    ROW("chmodRegion", chmod_region, NULL, unmap_destroy, NONE),
};

/* ---- xv6 pages, zones, Shrimpy */

static long xv6(unsigned long nr)
{
    return U_CALL(nr, 7);
}

static struct fail_call xv6_open(void)
{
    return CALL(SHOAL_SYS_shm_open, 7);
}

static void xv6_opened(long at)
{
    u_store8((uintptr_t)at, 1);
    U_EQ(xv6(SHOAL_SYS_shm_close), 0);
}

static struct fail_call xv6_again(void)
{
    U_CHECK((mapped = (uintptr_t)xv6(SHOAL_SYS_shm_open)) > 0);
    return CALL(SHOAL_SYS_shm_open, 7);
}

static void xv6_same(long at)
{
    U_EQ(at, mapped);
    U_EQ(xv6(SHOAL_SYS_shm_close), 0);
}

static void xv6_close(void)
{
    U_EQ(xv6(SHOAL_SYS_shm_close), 0);
}

static struct fail_call xv6_last(void)
{
    (void)xv6_again();
    return CALL(SHOAL_SYS_shm_close, 7);
}

static struct fail_call xv6_touch(void)
{
    (void)xv6_again();
    return CALL(TOUCH_WRITE, mapped);
}

static struct fail_call zone_create(void)
{
    return CALL(SHOAL_SYS_shmem, 5, M_CREATE, 9);
}

static void zone_created(long at)
{
    u_fill((uintptr_t)at, 9, 1);
    U_EQ(U_CALL(SYS_munmap, (uintptr_t)at, 9 * U_PAGE), 0);
}

static void zone_make(void)
{
    mapped = (uintptr_t)U_CALL(SHOAL_SYS_shmem, 5, M_CREATE, 9);
    u_fill(mapped, 3, 1);
}

static void zone_end(void)
{
    U_EQ(u_load8(mapped), 1);
    U_EQ(U_CALL(SYS_munmap, mapped, 9 * U_PAGE), 0);
}

static struct fail_call zone_get(void)
{
    zone_make();
    return CALL(SHOAL_SYS_shmem, 5, M_RDONLY, 4);
}

static void zone_got(long at)
{
    U_EQ(U_CALL(SYS_munmap, (uintptr_t)at, 4 * U_PAGE), 0);
}

static struct fail_call zone_cut(void)
{
    zone_make();
    return CALL(SYS_munmap, mapped + 2 * U_PAGE, U_PAGE);
}

static struct fail_call zone_touch(void)
{
    zone_make();
    return CALL(TOUCH_READ, mapped + 8 * U_PAGE);
}

static struct fail_call fry_touch(void)
{
    return CALL(TOUCH_WRITE, FRY);
}

static struct fail_call shrimp_touch(void)
{
    return CALL(TOUCH_READ, SHRIMP);
}

static struct fail_call fry_in_a_call(void)
{
    return CALL(SYS_getcwd, FRY, U_PAGE);
}

static const struct fail_row pages[] = {
    ROW("shm_open, the first", xv6_open, xv6_opened, NULL),
    ROW("shm_open, a second", xv6_again, xv6_same, xv6_close, NONE),
    ROW("shm_close, the last", xv6_last, NULL, NULL, NONE),
    ROW("a touch of an xv6 page", xv6_touch, NULL, xv6_close, FAULT),
    ROW("shmem, M_CREATE", zone_create, zone_created, NULL),
    ROW("shmem, a second", zone_get, zone_got, zone_end),
    ROW("munmap, the middle of a zone", zone_cut, NULL, zone_end),
    ROW("a touch of a zone", zone_touch, NULL, zone_end, FAULT),
    /* A touch makes and maps the page, then brings it in: when that fails it stays mapped. */
    ROW("FRY, first touch", fry_touch, NULL, NULL, FAULT, .flags = ROW_FRESH | ROW_KEEPS),
    ROW("SHRIMP, first touch", shrimp_touch, NULL, NULL, FAULT, .flags = ROW_FRESH | ROW_KEEPS),
    ROW("FRY, first touch by a call", fry_in_a_call, NULL, NULL, .errors = {EFAULT, ENOMEM},
        .flags = ROW_FRESH | ROW_KEEPS),
};

/* ---- System V */

#define KEY 0x5e96

static struct fail_call get_new(void)
{
    return CALL(SYS_shmget, KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
}

static struct fail_call get_private(void)
{
    return CALL(SYS_shmget, IPC_PRIVATE, SIZE, 0600);
}

static void got(long segment)
{
    U_EQ(U_CALL(SYS_shmctl, (unsigned long)segment, IPC_RMID, 0), 0);
}

static void segment_make(void)
{
    id = U_CALL(SYS_shmget, KEY, SIZE, IPC_CREAT | IPC_EXCL | 0600);
    U_CHECK(id >= 0);
}

static void segment_end(void)
{
    got(id);
}

static struct fail_call attach_with(uintptr_t at, int flags)
{
    segment_make();
    return CALL(SYS_shmat, id, at, flags);
}

static struct fail_call attach(void)
{
    return attach_with(0, SHM_RDONLY);
}

static struct fail_call attach_far(void)
{
    return attach_with(U_FAR + 7, SHM_RND);
}

static void attached(long at)
{
    U_EQ(U_CALL(SYS_shmdt, (uintptr_t)at), 0);
}

static void segment_attach(void)
{
    segment_make();
    mapped = (uintptr_t)U_CALL(SYS_shmat, (unsigned long)id, 0, 0);
    u_fill(mapped, 20, 1);
}

static struct fail_call attach_over(void)
{
    segment_attach();
    return CALL(SYS_shmat, id, mapped + 4 * U_PAGE, SHM_REMAP);
}

static void detach_end(void)
{
    U_EQ(u_load8(mapped), 1);
    U_EQ(U_CALL(SYS_munmap, mapped, 30 * U_PAGE), 0);
    segment_end();
}

static struct fail_call detach(void)
{
    segment_attach();
    return CALL(SYS_shmdt, mapped);
}

static struct fail_call cut(void)
{
    segment_attach();
    return CALL(SYS_munmap, mapped + 2 * U_PAGE, U_PAGE);
}

static struct fail_call usage(void)
{
    segment_make();
    return CALL(SYS_shmctl, 0, SHM_INFO, box_room(sizeof(struct linux_shm_info)));
}

static const struct fail_row segments[] = {
    ROW("shmget, new", get_new, got, NULL),
    ROW("shmget, IPC_PRIVATE", get_private, got, NULL),
    ROW("shmat", attach, attached, segment_end),
    ROW("shmat, far away", attach_far, attached, segment_end),
    ROW("shmat, SHM_REMAP", attach_over, NULL, detach_end),
    ROW("shmdt", detach, NULL, segment_end, NONE),
    ROW("munmap, the middle of a segment", cut, NULL, detach_end),
    ROW("SHM_INFO", usage, NULL, segment_end, NONE),
};

static int fail_native(uintptr_t sp)
{
    ROWS(native);
    return 0;
}

static int fail_pages(uintptr_t sp)
{
    ROWS(pages);
    return 0;
}

static int fail_segments(uintptr_t sp)
{
    ROWS(segments);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct host_case cases[] = {
        {.name = "native", .init = fail_native, .runs = 1},
        {.name = "pages", .init = fail_pages, .runs = 1},
        {.name = "segments", .init = fail_segments, .runs = 1},
        {0},
    };
    return host_run_cases(argc, argv, cases);
}
