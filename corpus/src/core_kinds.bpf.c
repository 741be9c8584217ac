/* One CO-RE relocation of every kind, against structures of the kernel that have been stable for long, and against some that never were. */
#include "soundcheck_bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct list_head {
    struct list_head *next, *prev;
};

struct task_struct {
    char comm[16];
    s32 pid;
    u32 sched_reset_on_fork : 1;
    struct list_head tasks;
};

struct task_struct___never {
    u64 no_such_member;
};

struct sk_buff { /* the kernel has these in unnamed structures and unions, several deep */
    struct sk_buff *next;
    u32 priority;
    u16 protocol;
    u32 len;
};

struct xdp_md___wide { /* the kernel's are 32 bits wide: the loads must follow */
    u64 rx_queue_index;
    u64 ingress_ifindex;
};

struct no_such_structure {
    u32 value;
};
#pragma clang attribute pop

struct list_head___other { /* has what the kernel's has not */
    struct list_head___other *next, *prev, *up;
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_NONE };

enum { OFFSET, SIZE, EXISTS, SIGNED, LEFT, RIGHT };
#define FIELD(expression, kind) __builtin_preserve_field_info(expression, kind)
#define TYPE(type, kind) __builtin_preserve_type_info(*(type *)0, kind)
#define ENUMERATOR(type, name, kind) __builtin_preserve_enum_value(*(type *)name, kind)

u64 results[32];

SEC("xdp")
int core_kinds(struct xdp_md *context)
{
    struct task_struct *task = NULL;
    struct sk_buff *skb = NULL;
    struct task_struct___never *never = NULL;
    struct no_such_structure *nothing = NULL;
    struct xdp_md___wide *wide = (void *)context;
    u64 *result = results;

    *result++ = wide->rx_queue_index;
    *result++ = wide->ingress_ifindex;
    *result++ = FIELD(task->pid, OFFSET);
    *result++ = FIELD(task->pid, SIZE);
    *result++ = FIELD(task->pid, SIGNED);
    *result++ = FIELD(task->pid, EXISTS);
    *result++ = FIELD(task->comm[5], OFFSET);
    *result++ = FIELD(task->comm[5], SIZE);
    *result++ = FIELD(task->tasks.prev, OFFSET);
    *result++ = FIELD(task->sched_reset_on_fork, OFFSET);
    *result++ = FIELD(task->sched_reset_on_fork, SIZE);
    *result++ = FIELD(task->sched_reset_on_fork, SIGNED);
    *result++ = FIELD(task->sched_reset_on_fork, LEFT);
    *result++ = FIELD(task->sched_reset_on_fork, RIGHT);
    *result++ = FIELD(skb->priority, OFFSET);
    *result++ = FIELD(skb->protocol, OFFSET);
    *result++ = FIELD(skb->len, OFFSET);
    *result++ = FIELD(never->no_such_member, EXISTS);
    *result++ = FIELD(nothing->value, EXISTS);
    *result++ = TYPE(struct task_struct, 0);
    *result++ = TYPE(struct no_such_structure, 0);
    *result++ = TYPE(struct list_head, 1);
    *result++ = TYPE(struct no_such_structure, 1);
    *result++ = TYPE(struct list_head, 2);
    *result++ = TYPE(struct list_head___other, 2);
    *result++ = __builtin_btf_type_id(*(struct list_head *)0, 0);
    *result++ = __builtin_btf_type_id(*(struct list_head *)0, 1);
    *result++ = ENUMERATOR(enum pid_type, PIDTYPE_TGID, 0);
    *result++ = ENUMERATOR(enum pid_type, PIDTYPE_TGID, 1);
    *result++ = ENUMERATOR(enum pid_type, PIDTYPE_NONE, 0);
    /* Not there: the path is never taken, and its instruction poisoned. */
    if (FIELD(never->no_such_member, EXISTS))
        *result++ = FIELD(never->no_such_member, OFFSET);
    return XDP_PASS;
}

LICENSE("GPL");
