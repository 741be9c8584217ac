/* Variables in an arena, whose address the map's definition gives in 64 bits. */
#include "soundcheck_bpf.h"

#define ARENA __attribute__((address_space(1)))
#define __ulong(name, number) enum { arena_##name = number } name

struct {
    __uint(type, 33); /* arena */
    __uint(map_flags, 1 << 10);
    __uint(max_entries, 4);
    __ulong(map_extra, 1ull << 44);
} arena SEC(".maps");

u32 ARENA hits[100];
u32 ARENA total;

SEC("xdp")
int count_in_arena(struct xdp_md *context)
{
    hits[context->rx_queue_index % 100]++;
    total++;
    return total == 1 ? 2 : 1;
}

LICENSE("GPL");
