/* The bytes of the payload added up, one for each run of a callback: packets whose sum is a multiple of 256 are dropped. */
#include "soundcheck_bpf.h"

#define MOST_BYTES 1500

struct payload {
    struct xdp_md *context;
    u64 sum;
};

static int add_byte(u32 index, struct payload *payload)
{
    u8 *byte = DATA(payload->context) + sizeof(struct ethernet);
    void *end = DATA_END(payload->context);
    if (index >= MOST_BYTES)
        return 1;
    byte += index;
    if ((void *)(byte + 1) > end)
        return 1;
    payload->sum += *byte;
    return 0;
}

SEC("xdp")
int payload_sum(struct xdp_md *context)
{
    struct payload payload = {.context = context};
    long runs = loop(MOST_BYTES, add_byte, &payload, 0);
    if (runs < 2)
        return XDP_PASS;
    return (payload.sum & 255) == 0 ? XDP_DROP : XDP_TX;
}

LICENSE("GPL");
