/* Fault: a byte of the packet says where in a buffer of 32 bytes to write. */
#include "soundcheck_bpf.h"

SEC("xdp")
int stack_index(struct xdp_md *context)
{
    u8 *byte = DATA(context);
    if ((void *)(byte + 1) > DATA_END(context))
        return XDP_DROP;
    volatile u8 seen[32] = {};
    seen[*byte & 63] = 1;
    return seen[0] ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
