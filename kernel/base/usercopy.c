#include <kernel/base/context.h>
#include <kernel/base/usercopy.h>

int copy_from_user(void *dst, uintptr_t src, size_t n)
{
    assert_may_fault("copy_from_user");
    return arch_copy_from_user(dst, src, n);
}

int copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    assert_may_fault("copy_to_user");
    return arch_copy_to_user(dst, src, n);
}

int clear_user(uintptr_t dst, size_t n)
{
    assert_may_fault("clear_user");
    return arch_clear_user(dst, n);
}

long copy_string_from_user(char *dst, uintptr_t src, size_t size)
{
    assert_may_fault("copy_string_from_user");
    return arch_copy_string_from_user(dst, src, size);
}
