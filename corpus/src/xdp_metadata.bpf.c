/* Hands a mark from XDP to the traffic control layer in the packet's metadata: two programs of one object. */
#include "soundcheck_bpf.h"

struct metadata {
    u32 mark;
};

SEC("xdp")
int metadata_write(struct xdp_md *context)
{
    if (xdp_adjust_meta(context, -(int)sizeof(struct metadata)))
        return XDP_ABORTED;
    struct metadata *metadata = DATA_META(context);
    if ((void *)(metadata + 1) > DATA(context))
        return XDP_ABORTED;
    metadata->mark = 42 + context->rx_queue_index;
    return XDP_PASS;
}

SEC("tc")
int metadata_read(struct __sk_buff *skb)
{
    struct metadata *metadata = DATA_META(skb);
    if ((void *)(metadata + 1) > DATA(skb))
        return TC_OK;
    skb->mark = metadata->mark;
    return TC_OK;
}

LICENSE("GPL");
