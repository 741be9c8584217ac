/* Checks an IPv4 header as a router would: version, lengths, and the checksum over a header of any length, options included. */
#include "soundcheck_bpf.h"

SEC("xdp")
int ipv4_sane(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > end)
        return XDP_ABORTED;
    if (frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    u32 words = ip->version_length & 0xf;
    if (ip->version_length >> 4 != 4 || words < 5)
        return XDP_DROP;
    if (be16(ip->total_length) < words * 4)
        return XDP_DROP;

    u32 sum = 0;
    for (u32 i = 0; i < 30; i++) {
        if (i >= words * 2)
            break;
        u16 *half = (u16 *)ip + i;
        /* Keeps the compiler from checking one pointer and reading through another. */
        asm volatile("" : "+r"(half));
        if ((void *)(half + 1) > end)
            return XDP_ABORTED;
        sum += *half;
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
