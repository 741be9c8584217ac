/* Counts TCP connection attempts by source address; a source with more than 16 is cut off. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 1024);
} attempts SEC(".maps");

SEC("xdp")
int syn_counter(struct xdp_md *context)
{
    void *end = DATA_END(context);
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > end || frame->type != be16(ETH_IPV4) || ip->protocol != IP_TCP)
        return XDP_PASS;
    u32 length = (ip->version_length & 0xf) * 4;
    if (length < sizeof(*ip))
        return XDP_DROP;
    struct tcp *tcp = (void *)ip + length;
    if ((void *)(tcp + 1) > end)
        return XDP_DROP;
    if ((tcp->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
        return XDP_PASS;

    u32 source = ip->source;
    u64 *count = map_lookup_elem(&attempts, &source);
    if (!count) {
        u64 one = 1;
        map_update_elem(&attempts, &source, &one, NOEXIST);
        return XDP_PASS;
    }
    __sync_fetch_and_add(count, 1);
    return *count > 16 ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
