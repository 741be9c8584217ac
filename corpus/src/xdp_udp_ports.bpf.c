/* Drops UDP packets to the ports that user space has listed. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_HASH);
    __type(key, u16);
    __type(value, u8);
    __uint(max_entries, 256);
} blocked SEC(".maps");

SEC("xdp")
int udp_ports(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    struct udp *udp = (void *)(ip + 1);
    if ((void *)(udp + 1) > end)
        return XDP_PASS;
    if (frame->type != be16(ETH_IPV4) || ip->version_length != 0x45 || ip->protocol != IP_UDP)
        return XDP_PASS;
    if (be16(udp->length) < sizeof(*udp))
        return XDP_DROP;
    u16 port = be16(udp->destination);
    return map_lookup_elem(&blocked, &port) ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
