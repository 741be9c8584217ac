/* Fault: rounds a packet pointer down to a multiple of 16, which no bounds check can follow. */
#include "soundcheck_bpf.h"

SEC("xdp")
int pointer_arithmetic(struct xdp_md *context)
{
    long address = context->data;
    asm volatile("" : "+r"(address));
    u32 *word = (u32 *)(address & ~15L);
    if ((void *)(word + 1) > DATA_END(context))
        return XDP_DROP;
    return *word & 3;
}

LICENSE("GPL");
