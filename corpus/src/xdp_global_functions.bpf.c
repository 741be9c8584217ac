/* Global functions, each verified on its own: from numbers, from a pointer that may be NULL, from the context. */
#include "soundcheck_bpf.h"

struct score {
    u32 length;
    u32 queue;
};

noinline int weigh(u32 length, u32 queue)
{
    return length / 16 + queue * 3;
}

noinline int total(struct score *score)
{
    if (!score)
        return 0;
    return weigh(score->length, score->queue);
}

noinline u32 packet_length(struct xdp_md *context)
{
    return (u32)(DATA_END(context) - DATA(context));
}

SEC("xdp")
int global_functions(struct xdp_md *context)
{
    struct score score = {packet_length(context), context->rx_queue_index};
    return total(&score) > 8 ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
