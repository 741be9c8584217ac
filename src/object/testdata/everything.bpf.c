/* What an object may hold besides plain programs, for the tests of the reader; compiled in both byte orders. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct bpf_spin_lock {
    u32 value;
};
struct bpf_timer {
    u64 words[2];
} __attribute__((aligned(8)));

struct guarded {
    u64 count;
    struct bpf_spin_lock lock;
    u32 padding;
    struct bpf_timer timer;
};

struct {
    __uint(type, MAP_HASH);
    __uint(map_flags, 1);
    __uint(pinning, 1);
    __type(key, u32);
    __type(value, struct guarded);
    __uint(max_entries, 7);
} guarded SEC(".maps");

static struct {
    __uint(type, MAP_ARRAY);
    __uint(key_size, 4);
    __uint(value_size, 24);
    __uint(max_entries, 3);
} private_array SEC(".maps");

struct inner {
    __uint(type, MAP_HASH);
    __type(key, u64);
    __type(value, u16);
    __uint(max_entries, 5);
} first_inner SEC(".maps"), second_inner SEC(".maps");

struct {
    __uint(type, MAP_ARRAY_OF_MAPS);
    __type(key, u32);
    __uint(max_entries, 4);
    __array(values, struct inner);
} outer SEC(".maps") = {.values = {[3] = &second_inner, [0] = &first_inner}};

int other(struct xdp_md *context);

struct {
    __uint(type, MAP_PROG_ARRAY);
    __uint(key_size, 4);
    __uint(max_entries, 2);
    __array(values, int(void *));
} jumps SEC(".maps") = {.values = {[1] = (void *)&other}};

const volatile u32 limit = 9;
u64 counter = 3;
static u32 hits;
u32 custom SEC(".data.custom") = 0x01020304;

static long (*for_each_map_elem)(void *map, void *callback, void *context, u64 flags) = (void *)164;

static noinline long each(void *map, const u32 *key, struct guarded *value, u32 *sum)
{
    *sum += 1;
    return 0;
}

static noinline u32 twice(u32 value)
{
    hits++;
    return value * 2;
}

noinline int weigh(u32 value)
{
    return twice(value) + limit;
}

__attribute__((visibility("hidden"))) noinline int hidden(u32 *value)
{
    return *value + custom;
}

SEC("xdp")
int everything(struct xdp_md *context)
{
    u32 key = context->rx_queue_index;
    u32 sum = 0;
    for_each_map_elem(&guarded, each, &sum, 0);
    void *found = map_lookup_elem(&private_array, &key);
    void *held = map_lookup_elem(&outer, &key);
    counter += weigh(key) + hidden(&key) + sum;
    if (found && !held)
        tail_call(context, &jumps, 1);
    return XDP_PASS;
}

SEC("xdp")
int other(struct xdp_md *context)
{
    return twice(context->rx_queue_index) > 8 ? XDP_DROP : XDP_PASS;
}

LICENSE("Dual MIT/GPL");
