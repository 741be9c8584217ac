/* Fault: a global function is verified for every caller, and this one trusts its pointer. */
#include "soundcheck_bpf.h"

struct limits {
    u32 low;
    u32 high;
};

noinline int span(struct limits *limits)
{
    return limits->high - limits->low;
}

SEC("xdp")
int global_argument(struct xdp_md *context)
{
    struct limits limits = {context->rx_queue_index, 64};
    return span(&limits) > 0 ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
