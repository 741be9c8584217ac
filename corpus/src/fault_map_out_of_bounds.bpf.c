/* Fault: a byte of the packet indexes a table of 16 entries. */
#include "soundcheck_bpf.h"

struct table {
    u32 actions[16];
};

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, struct table);
    __uint(max_entries, 1);
} tables SEC(".maps");

SEC("xdp")
int map_out_of_bounds(struct xdp_md *context)
{
    u8 *byte = DATA(context);
    if ((void *)(byte + 1) > DATA_END(context))
        return XDP_DROP;
    u32 zero = 0;
    struct table *table = map_lookup_elem(&tables, &zero);
    if (!table)
        return XDP_DROP;
    return table->actions[*byte];
}

LICENSE("GPL");
