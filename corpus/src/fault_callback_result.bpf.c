/* Defect: the callback returns what it has read. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 4);
} limits SEC(".maps");

static long look(void *map, u32 *key, u64 *limit, void *unused)
{
    return *limit;
}

SEC("xdp")
int callback_result(struct xdp_md *context)
{
    return for_each_map_elem(&limits, look, NULL, 0) > 2 ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
