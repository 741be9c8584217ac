/* Maps as they were defined before BTF, here in libbpf's old form, and programs in sections that say nothing. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct bpf_map_def {
    u32 type;
    u32 key_size;
    u32 value_size;
    u32 max_entries;
    u32 map_flags;
};

struct bpf_map_def SEC("maps") counts = {MAP_ARRAY, 4, 8, 16, 0};
struct bpf_map_def SEC("maps") names = {MAP_HASH, 4, 32, 64, 1};

SEC("socket")
int legacy(struct __sk_buff *skb)
{
    u32 key = skb->protocol & 15;
    u64 *count = map_lookup_elem(&counts, &key);
    if (count)
        *count += 1;
    return map_lookup_elem(&names, &key) ? 1 : 0;
}

SEC("nothing_known")
int unknown(void *context)
{
    return 0;
}

LICENSE("GPL");
