/* Fault: the index is checked from above only, and is signed. */
#include "soundcheck_bpf.h"

struct table {
    u8 actions[64];
};

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, struct table);
    __uint(max_entries, 1);
} tables SEC(".maps");

SEC("xdp")
int signed_index(struct xdp_md *context)
{
    s32 *word = DATA(context);
    if ((void *)(word + 1) > DATA_END(context))
        return XDP_DROP;
    s64 index = *(volatile s32 *)word;
    u32 zero = 0;
    struct table *table = map_lookup_elem(&tables, &zero);
    if (!table)
        return XDP_DROP;
    if (index < 64)
        return table->actions[index];
    return XDP_PASS;
}

LICENSE("GPL");
