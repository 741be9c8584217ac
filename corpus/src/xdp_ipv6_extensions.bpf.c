/* Walks the extension headers of an IPv6 packet to its transport protocol; drops what hides behind more than six of them. */
#include "soundcheck_bpf.h"

#define MOST_EXTENSIONS 6

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

struct extension {
    u8 next;
    u8 length; /* 8-byte units after the first */
};

SEC("xdp")
int ipv6_transport(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv6 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > end)
        return XDP_ABORTED;
    if (frame->type != be16(ETH_IPV6))
        return XDP_PASS;

    u8 next = ip->next_header;
    void *at = ip + 1;
    for (int i = 0; i < MOST_EXTENSIONS; i++) {
        if (next == IP_TCP || next == IP_UDP || next == IP_ICMPV6)
            return XDP_PASS;
        if (next != HOP_BY_HOP && next != ROUTING && next != FRAGMENT && next != DESTINATION)
            return XDP_DROP;
        struct extension *header = at;
        if ((void *)(header + 1) > end)
            return XDP_ABORTED;
        at += next == FRAGMENT ? 8 : (header->length + 1) * 8;
        next = header->next;
    }
    return XDP_DROP;
}

LICENSE("GPL");
