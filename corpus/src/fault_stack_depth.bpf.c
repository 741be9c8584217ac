/* Fault: two frames of 400 bytes are more than the 512 bytes that one call chain has. */
#include "soundcheck_bpf.h"

static noinline u32 inner(u32 seed)
{
    volatile u8 scratch[400];
    scratch[seed & 255] = seed;
    return scratch[seed & 127];
}

SEC("xdp")
int stack_depth(struct xdp_md *context)
{
    volatile u8 scratch[400];
    u32 queue = context->rx_queue_index;
    scratch[queue & 255] = 1;
    return inner(queue) + scratch[queue & 127];
}

LICENSE("GPL");
