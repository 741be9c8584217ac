/* Counts the labels of a DNS question and drops queries with absurdly many; jumps from label to label. */
#include "soundcheck_bpf.h"

#define MOST_LABELS 8

struct dns {
    u16 id;
    u16 flags;
    u16 questions;
    u16 answers;
    u16 authorities;
    u16 additionals;
};

SEC("xdp")
int dns_labels(struct xdp_md *context)
{
    u8 *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    struct udp *udp = (void *)(ip + 1);
    struct dns *dns = (void *)(udp + 1);
    if ((u8 *)(dns + 1) > end || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    if (ip->version_length != 0x45 || ip->protocol != IP_UDP || udp->destination != be16(53))
        return XDP_PASS;

    u8 *at = (u8 *)(dns + 1);
    for (int labels = 0; labels <= MOST_LABELS; labels++) {
        if (at + 1 > end)
            return XDP_DROP;
        u8 length = *at;
        if (length == 0)
            return XDP_PASS;
        if (length > 63)
            return XDP_DROP;
        at += length + 1;
    }
    return XDP_DROP;
}

LICENSE("GPL");
