/* Finds the maximum segment size among the options of a TCP SYN, and drops connections that ask for a suspiciously small one. */
#include "soundcheck_bpf.h"

#define MOST_OPTIONS 10

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

SEC("xdp")
int tcp_small_mss(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    struct tcp *tcp = (void *)(ip + 1);
    if ((void *)(tcp + 1) > end || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    if (ip->version_length != 0x45 || ip->protocol != IP_TCP || !(tcp->flags & TCP_SYN))
        return XDP_PASS;

    u32 offset = sizeof(*tcp);
    u32 length = (tcp->offset_reserved >> 4) * 4;
    for (int i = 0; i < MOST_OPTIONS && offset < length; i++) {
        u8 *option = (void *)tcp + offset;
        if (option + 4 > (u8 *)end || option[0] == OPTION_END)
            return XDP_PASS;
        if (option[0] == OPTION_NOP) {
            offset++;
            continue;
        }
        if (option[0] == OPTION_MSS) {
            u16 size = option[2] << 8 | option[3];
            return size < 536 ? XDP_DROP : XDP_PASS;
        }
        if (option[1] < 2)
            return XDP_DROP;
        offset += option[1];
        if (offset > 60)
            return XDP_DROP;
    }
    return XDP_PASS;
}

LICENSE("GPL");
