/* Fault: the interface that a packet came in on is not the program's to change. */
#include "soundcheck_bpf.h"

SEC("xdp")
int context_write(struct xdp_md *context)
{
    context->ingress_ifindex = 1;
    return XDP_PASS;
}

LICENSE("GPL");
