/* Fault: a function that calls itself. */
#include "soundcheck_bpf.h"

static noinline u32 descend(u32 depth)
{
    /* Volatile, so that the compiler does not make a loop of it. */
    volatile u32 random = get_prandom_u32();
    if (random & 1)
        return depth;
    return descend(depth + 1) ^ random;
}

SEC("xdp")
int recursion(struct xdp_md *context)
{
    return descend(context->rx_queue_index) & 3;
}

LICENSE("GPL");
