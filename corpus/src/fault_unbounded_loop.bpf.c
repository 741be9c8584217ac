/* Fault: the packet says how often the loop turns, up to four thousand million times. */
#include "soundcheck_bpf.h"

u64 sum;

SEC("xdp")
int unbounded_loop(struct xdp_md *context)
{
    u32 *word = DATA(context);
    if ((void *)(word + 1) > DATA_END(context))
        return XDP_DROP;
    u32 turns = *word;
    volatile u32 turn;
    for (turn = 0; turn < turns; turn++)
        sum += get_prandom_u32();
    return XDP_PASS;
}

LICENSE("GPL");
