/* Dispatches by protocol with tail calls through a program array that is filled in the object. */
#include "soundcheck_bpf.h"

enum { SLOT_IPV4, SLOT_IPV6, SLOTS };

int on_ipv4(struct xdp_md *context);
int on_ipv6(struct xdp_md *context);

struct {
    __uint(type, MAP_PROG_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(max_entries, SLOTS);
    __array(values, int(void *));
} handlers SEC(".maps") = {
    .values = {[SLOT_IPV4] = (void *)&on_ipv4, [SLOT_IPV6] = (void *)&on_ipv6},
};

SEC("xdp")
int dispatcher(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    if ((void *)(frame + 1) > DATA_END(context))
        return XDP_ABORTED;
    if (frame->type == be16(ETH_IPV4))
        tail_call(context, &handlers, SLOT_IPV4);
    else if (frame->type == be16(ETH_IPV6))
        tail_call(context, &handlers, SLOT_IPV6);
    else
        return XDP_PASS;
    /* A tail call returns only if the slot is empty. */
    return XDP_ABORTED;
}

SEC("xdp")
int on_ipv4(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > DATA_END(context))
        return XDP_DROP;
    return ip->ttl > 1 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int on_ipv6(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv6 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > DATA_END(context))
        return XDP_DROP;
    return ip->hop_limit > 1 ? XDP_TX : XDP_DROP;
}

LICENSE("GPL");
