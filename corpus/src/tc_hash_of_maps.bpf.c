/* Counts packets for each source inside a table that belongs to the interface; interfaces without a table are left alone. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_HASH_OF_MAPS);
    __type(key, u32);
    __uint(max_entries, 32);
    __array(
        values, struct {
            __uint(type, MAP_HASH);
            __type(key, u32);
            __type(value, u64);
            __uint(max_entries, 128);
        });
} interfaces SEC(".maps");

SEC("tc")
int count_sources(struct __sk_buff *skb)
{
    u32 interface = skb->ifindex;
    void *sources = map_lookup_elem(&interfaces, &interface);
    if (!sources)
        return TC_OK;
    u32 source;
    if (skb_load_bytes(skb, sizeof(struct ethernet) + 12, &source, sizeof(source)))
        return TC_OK;
    u64 first = 1;
    u64 *count = map_lookup_elem(sources, &source);
    if (count)
        __sync_fetch_and_add(count, 1);
    else
        map_update_elem(sources, &source, &first, ANY);
    return TC_OK;
}

LICENSE("GPL");
