/* Global variables of all kinds: constants that user space sets before loading, initialised data, zeroed data, a table. */
#include "soundcheck_bpf.h"

const volatile u32 drop_every = 4;
const u8 weights[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

u32 threshold = 100;
u64 seen;
static u64 score;
u32 histogram[16];

SEC("xdp")
int global_data(struct xdp_md *context)
{
    u8 *byte = DATA(context);
    if ((void *)(byte + 1) > DATA_END(context))
        return XDP_ABORTED;
    u32 bucket = *byte & 15;
    histogram[bucket]++;
    score += weights[bucket];
    seen++;
    if (score > threshold)
        return XDP_DROP;
    return drop_every && seen % drop_every == 0 ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
