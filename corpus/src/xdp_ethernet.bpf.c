/* Reads the Ethernet header: IPv4, IPv6 and ARP go on, anything else and frames shorter than a header are dropped. */
#include "soundcheck_bpf.h"

SEC("xdp")
int ethernet_types(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    if ((void *)(frame + 1) > DATA_END(context))
        return XDP_DROP;
    switch (be16(frame->type)) {
    case ETH_IPV4:
    case ETH_IPV6:
    case ETH_ARP:
        return XDP_PASS;
    default:
        return XDP_DROP;
    }
}

LICENSE("GPL");
