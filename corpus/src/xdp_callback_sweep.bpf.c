/* Flows of shorter packets than this one are deleted, and the busiest queue is looked for, by callbacks for each element of a table and of an array. */
#include "soundcheck_bpf.h"

struct flow {
    u64 longest;
    u64 packets;
};

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, struct flow);
    __uint(max_entries, 64);
} flows SEC(".maps");

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 16);
} queues SEC(".maps");

struct sweep {
    u64 limit;
    u64 deleted;
};

static int delete_shorter(void *map, u32 *key, struct flow *flow, struct sweep *sweep)
{
    if (flow->longest >= sweep->limit)
        return 0;
    u32 copy = *key;
    if (map_delete_elem(map, &copy) == 0)
        sweep->deleted++;
    return 0;
}

struct search {
    u32 queue;
    u64 most;
};

static int find_busiest(void *map, u32 *key, u64 *packets, struct search *search)
{
    if (*packets > search->most) {
        search->most = *packets;
        search->queue = *key;
    }
    return 0;
}

SEC("xdp")
int sweep_flows(struct xdp_md *context)
{
    u32 source = context->ingress_ifindex;
    struct flow flow = {.longest = context->data_end - context->data, .packets = 1};
    map_update_elem(&flows, &source, &flow, ANY);
    struct sweep sweep = {.limit = flow.longest};
    for_each_map_elem(&flows, delete_shorter, &sweep, 0);
    struct search search = {};
    for_each_map_elem(&queues, find_busiest, &search, 0);
    u64 *counter = map_lookup_elem(&queues, &search.queue);
    if (!counter)
        return XDP_ABORTED;
    __sync_fetch_and_add(counter, 1);
    return search.queue > 15 ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
