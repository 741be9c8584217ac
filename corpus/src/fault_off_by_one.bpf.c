/* Fault: the check lets a packet through that is one byte too short for the last read. */
#include "soundcheck_bpf.h"

SEC("xdp")
int off_by_one(struct xdp_md *context)
{
    u8 *bytes = DATA(context);
    if (bytes + sizeof(struct ethernet) > (u8 *)DATA_END(context))
        return XDP_DROP;
    return bytes[sizeof(struct ethernet)] >> 4 == 4 ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
