/* A congestion control: functions that a structure of the kernel's points to, in either of the two sections. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct sock;

/* Its members are found by name, in an order of their own. */
struct tcp_congestion_ops___ours {
    u32 (*undo_cwnd)(struct sock *);
    u32 (*ssthresh)(struct sock *);
    void (*set_state)(struct sock *, u8);
    void (*release)(struct sock *);
    char name[16];
};

SEC("struct_ops/half")
u32 half(u64 *arguments)
{
    return 1;
}

SEC("struct_ops.s/undo")
u32 undo(u64 *arguments)
{
    return 2;
}

SEC("struct_ops")
void note(u64 *arguments)
{
}

SEC("struct_ops")
void forget(u64 *arguments)
{
}

SEC("struct_ops/unused")
u32 unused(u64 *arguments)
{
    return 0;
}

struct tcp_congestion_ops___ours first SEC(".struct_ops") = {
    .undo_cwnd = (void *)undo,
    .ssthresh = (void *)half,
    .name = "first",
};

struct tcp_congestion_ops___ours second SEC(".struct_ops.link") = {
    .ssthresh = (void *)half,
    .set_state = (void *)note,
    .release = (void *)forget,
    .name = "second",
};

LICENSE("GPL");
