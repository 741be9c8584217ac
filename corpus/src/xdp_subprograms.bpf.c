/* Parses with static subprograms that take pointers to the stack and to the packet, three calls deep. */
#include "soundcheck_bpf.h"

struct cursor {
    void *at;
    void *end;
};

static noinline int sum_of_bytes(const u8 *bytes, u32 count)
{
    int sum = 0;
    for (u32 i = 0; i < 4 && i < count; i++)
        sum += bytes[i];
    return sum;
}

static noinline int address_score(struct cursor *cursor)
{
    struct ipv4 *ip = cursor->at;
    if ((void *)(ip + 1) > cursor->end)
        return -1;
    u32 address = ip->source;
    return sum_of_bytes((u8 *)&address, sizeof(address));
}

static noinline int skip_ethernet(struct cursor *cursor)
{
    struct ethernet *frame = cursor->at;
    if ((void *)(frame + 1) > cursor->end)
        return -1;
    u16 type = frame->type;
    cursor->at = frame + 1;
    return be16(type);
}

SEC("xdp")
int subprograms(struct xdp_md *context)
{
    struct cursor cursor = {DATA(context), DATA_END(context)};
    if (skip_ethernet(&cursor) != ETH_IPV4)
        return XDP_PASS;
    int score = address_score(&cursor);
    if (score < 0)
        return XDP_ABORTED;
    return score > 255 ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
