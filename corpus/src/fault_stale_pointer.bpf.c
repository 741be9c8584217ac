/* Fault: moves the packet's start and goes on with the pointer from before. */
#include "soundcheck_bpf.h"

SEC("xdp")
int stale_pointer(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    if ((void *)(frame + 1) > DATA_END(context))
        return XDP_DROP;
    if (xdp_adjust_head(context, -4))
        return XDP_DROP;
    frame->type = be16(ETH_VLAN);
    return XDP_PASS;
}

LICENSE("GPL");
