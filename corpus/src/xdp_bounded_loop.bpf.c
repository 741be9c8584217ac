/* A rolling hash over up to 64 bytes of payload, in a loop that stays a loop; packets whose hash is in the list are dropped. */
#include "soundcheck_bpf.h"

#define MOST_BYTES 64

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, u32);
    __uint(max_entries, 64);
} signatures SEC(".maps");

SEC("xdp")
int payload_hash(struct xdp_md *context)
{
    void *end = DATA_END(context);
    u8 *byte = DATA(context) + sizeof(struct ethernet);
    u32 hash = 5381;
#pragma clang loop unroll(disable)
    for (int i = 0; i < MOST_BYTES; i++) {
        if ((void *)(byte + 1) > end)
            break;
        hash = hash * 33 + *byte++;
    }
    return map_lookup_elem(&signatures, &hash) ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
