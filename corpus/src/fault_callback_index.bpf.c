/* Defect: the callback checks its position against the table's size with > where it needs >=. */
#include "soundcheck_bpf.h"

struct table {
    u64 used;
    u64 entries[8];
};

static int fill(u32 index, struct table *table)
{
    u64 used = table->used;
    if (used > 8)
        return 1;
    *(volatile u64 *)&table->entries[used] = index;
    table->used = used + 1;
    return 0;
}

SEC("xdp")
int callback_index(struct xdp_md *context)
{
    struct table table = {};
    u32 behind = context->rx_queue_index;
    loop(20, fill, &table, 0);
    return table.entries[0] == behind ? XDP_PASS : XDP_DROP;
}

LICENSE("GPL");
