/* Fault: reads the Ethernet header without asking whether the packet has one. */
#include "soundcheck_bpf.h"

SEC("xdp")
int no_bounds_check(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    return frame->type == be16(ETH_IPV4) ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
