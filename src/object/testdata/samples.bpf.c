/* Maps as the kernel's samples defined them before BTF: 28 bytes, of which the last say an inner map's index and a memory node. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct bpf_map_def {
    u32 type;
    u32 key_size;
    u32 value_size;
    u32 max_entries;
    u32 map_flags;
    u32 inner_map_idx;
    u32 numa_node;
};

struct bpf_map_def SEC("maps") first = {MAP_ARRAY, 4, 8, 16, 0, 0, 0};
struct bpf_map_def SEC("maps") second = {MAP_HASH, 4, 32, 64, 1 << 2, 0, 1};
struct bpf_map_def SEC("maps") outer = {MAP_ARRAY_OF_MAPS, 4, 0, 8, 0, 1, 0};

SEC("tail/3")
int unnamed(struct __sk_buff *skb)
{
    u32 key = 1;
    void *inner = map_lookup_elem(&outer, &key);
    if (!inner)
        return 0;
    u32 *value = map_lookup_elem(inner, &key);
    return (map_lookup_elem(&first, &key) && map_lookup_elem(&second, &key) && value) ? *value : 0;
}

LICENSE("GPL");
