/* The types of a kernel that never was, to settle CO-RE relocations against: the structures of core_kinds.bpf.c in other places. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct list_head {
    struct list_head *next, *prev;
};

struct task_struct {
    u64 state;
    s32 pid; /* 8 */
    char comm[16]; /* 12 */
    u32 first : 3; /* 28 */
    u32 sched_reset_on_fork : 1;
    struct list_head tasks; /* 32 */
} task;

struct sk_buff {
    u64 start;
    union {
        u64 both;
        struct {
            u32 other;
            union {
                u32 priority; /* 12 */
                u32 alias;
            };
        };
    };
    u32 len; /* 16 */
    u16 protocol; /* 20 */
} skb;

/* xdp_md is that of the header: rx_queue_index at 16, ingress_ifindex at 12, 32 bits wide. */
struct xdp_md md;

enum pid_type { PIDTYPE_NEW = 4, PIDTYPE_TGID = 7 } pid;

struct no_such_enough {
    u32 value;
} enough;
