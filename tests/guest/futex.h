/* futex(2) as the kernel takes it: musl has no header for it. */
#pragma once

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_WAIT_PRIVATE   128
#define FUTEX_WAKE_PRIVATE   129
#define FUTEX_CLOCK_REALTIME 256

#define FUTEX_OP_SET         0
#define FUTEX_OP_ADD         1
#define FUTEX_OP_OR          2
#define FUTEX_OP_ANDN        3
#define FUTEX_OP_XOR         4
#define FUTEX_OP_OPARG_SHIFT 8
#define FUTEX_OP_CMP_EQ      0
#define FUTEX_OP_CMP_NE      1
#define FUTEX_OP_CMP_LT      2
#define FUTEX_OP_CMP_GT      4
#define FUTEX_OP_CMP_GE      5
#define FUTEX_OP(op, oparg, cmp, cmparg)                                                           \
    ((unsigned)(op) << 28 | (unsigned)(cmp) << 24 | (unsigned)(oparg) << 12 | (unsigned)(cmparg))

#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u

/* What a thread tells set_robust_list of. */
struct robust_list {
    struct robust_list *next;
};

struct robust_list_head {
    struct robust_list list;
    long futex_offset;
    struct robust_list *list_op_pending;
};
