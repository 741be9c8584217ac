/* Answers ICMP echo requests in place: addresses change places, the type becomes a reply, the checksum follows. */
#include "soundcheck_bpf.h"

enum { ECHO_REPLY = 0, ECHO_REQUEST = 8 };

SEC("xdp")
int ping(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    struct icmp *icmp = (void *)(ip + 1);
    if ((void *)(icmp + 1) > DATA_END(context) || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    if (ip->version_length != 0x45 || ip->protocol != IP_ICMP || icmp->type != ECHO_REQUEST)
        return XDP_PASS;

    u8 address[6];
    __builtin_memcpy(address, frame->source, 6);
    __builtin_memcpy(frame->source, frame->destination, 6);
    __builtin_memcpy(frame->destination, address, 6);
    u32 source = ip->source;
    ip->source = ip->destination;
    ip->destination = source;

    u32 before = *(u16 *)icmp;
    icmp->type = ECHO_REPLY;
    u32 after = *(u16 *)icmp;
    s64 difference = csum_diff(&before, sizeof(before), &after, sizeof(after), (u16)~icmp->checksum);
    u32 sum = (difference & 0xffff) + (((u64)difference >> 16) & 0xffff);
    sum = (sum & 0xffff) + (sum >> 16);
    icmp->checksum = ~sum;
    return XDP_TX;
}

LICENSE("GPL");
