/* Counts packets and bytes of each IPv4 protocol, on each processor for itself. */
#include "soundcheck_bpf.h"

struct counter {
    u64 packets;
    u64 bytes;
};

struct {
    __uint(type, MAP_PERCPU_ARRAY);
    __type(key, u32);
    __type(value, struct counter);
    __uint(max_entries, 256);
} counters SEC(".maps");

SEC("xdp")
int protocol_counter(struct xdp_md *context)
{
    void *start = DATA(context);
    void *end = DATA_END(context);
    struct ethernet *frame = start;
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > end || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    u32 protocol = ip->protocol;
    struct counter *counter = map_lookup_elem(&counters, &protocol);
    if (counter) {
        counter->packets++;
        counter->bytes += end - start;
    }
    return XDP_PASS;
}

LICENSE("GPL");
