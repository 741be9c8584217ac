/* Looks through up to two VLAN tags. Only VLANs below 100 may pass; untagged frames always may. */
#include "soundcheck_bpf.h"

#define MOST_TAGS 2

SEC("xdp")
int vlan_guard(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    if ((void *)(frame + 1) > end)
        return XDP_ABORTED;
    u16 type = frame->type;
    struct vlan *tag = (void *)(frame + 1);

#pragma unroll
    for (int depth = 0; depth < MOST_TAGS; depth++) {
        if (type != be16(ETH_VLAN) && type != be16(ETH_QINQ))
            return XDP_PASS;
        if ((void *)(tag + 1) > end)
            return XDP_ABORTED;
        if ((be16(tag->tag) & 0xfff) >= 100)
            return XDP_DROP;
        type = tag->type;
        tag++;
    }
    return type == be16(ETH_VLAN) ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
