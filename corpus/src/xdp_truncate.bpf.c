/* Cuts packets to 64 bytes, as a sampler does that keeps headers only. */
#include "soundcheck_bpf.h"

#define KEPT 64

SEC("xdp")
int truncate_packet(struct xdp_md *context)
{
    int length = DATA_END(context) - DATA(context);
    if (length <= KEPT)
        return XDP_PASS;
    return xdp_adjust_tail(context, KEPT - length) ? XDP_ABORTED : XDP_TX;
}

LICENSE("GPL");
