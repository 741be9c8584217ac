/* Wraps IPv4 packets into another IPv4 header (IP in IP) on the way to a tunnel's end: makes room in front, moves the Ethernet header. */
#include "soundcheck_bpf.h"

const volatile u32 tunnel_source = 0x0100000a;      /* 10.0.0.1 */
const volatile u32 tunnel_destination = 0x0200000a; /* 10.0.0.2 */

SEC("xdp")
int encapsulate(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv4 *inner = (void *)(frame + 1);
    if ((void *)(inner + 1) > DATA_END(context) || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    struct ethernet old;
    __builtin_memcpy(&old, frame, sizeof(old));
    u16 length = be16(inner->total_length) + sizeof(struct ipv4);

    if (xdp_adjust_head(context, -(int)sizeof(struct ipv4)))
        return XDP_DROP;
    frame = DATA(context);
    struct ipv4 *outer = (void *)(frame + 1);
    if ((void *)(outer + 1) > DATA_END(context))
        return XDP_DROP;
    __builtin_memcpy(frame, &old, sizeof(old));
    *outer = (struct ipv4){
        .version_length = 0x45,
        .total_length = be16(length),
        .ttl = 64,
        .protocol = IP_IPIP,
        .source = tunnel_source,
        .destination = tunnel_destination,
    };
    u16 *half = (u16 *)outer;
    u32 sum = 0;
#pragma unroll
    for (int i = 0; i < sizeof(*outer) / 2; i++)
        sum += half[i];
    sum = (sum & 0xffff) + (sum >> 16);
    outer->checksum = ~(sum + (sum >> 16));
    return XDP_TX;
}

LICENSE("GPL");
