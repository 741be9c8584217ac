/* Limits the packets of each source address with a token bucket: ten tokens at most, one more every millisecond. */
#include "soundcheck_bpf.h"

#define CAPACITY 10
#define NANOSECONDS_PER_TOKEN 1000000

struct bucket {
    u64 tokens;
    u64 filled_at;
};

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, struct bucket);
    __uint(max_entries, 1024);
} buckets SEC(".maps");

SEC("xdp")
int token_bucket(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > DATA_END(context) || frame->type != be16(ETH_IPV4))
        return XDP_PASS;

    u32 source = ip->source;
    u64 now = ktime_get_ns();
    struct bucket *bucket = map_lookup_elem(&buckets, &source);
    if (!bucket) {
        struct bucket full = {.tokens = CAPACITY - 1, .filled_at = now};
        map_update_elem(&buckets, &source, &full, ANY);
        return XDP_PASS;
    }
    u64 earned = (now - bucket->filled_at) / NANOSECONDS_PER_TOKEN;
    if (earned > 0) {
        u64 tokens = bucket->tokens + earned;
        bucket->tokens = tokens > CAPACITY ? CAPACITY : tokens;
        bucket->filled_at += earned * NANOSECONDS_PER_TOKEN;
    }
    if (bucket->tokens == 0)
        return XDP_DROP;
    bucket->tokens--;
    return XDP_PASS;
}

LICENSE("GPL");
