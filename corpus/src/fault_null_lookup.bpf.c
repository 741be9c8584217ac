/* Fault: uses what a look-up returned without asking whether it found anything. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 16);
} counters SEC(".maps");

SEC("xdp")
int null_lookup(struct xdp_md *context)
{
    u32 key = context->rx_queue_index;
    u64 *count = map_lookup_elem(&counters, &key);
    *count += 1;
    return XDP_PASS;
}

LICENSE("GPL");
