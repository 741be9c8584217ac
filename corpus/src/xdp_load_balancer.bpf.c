/* Spreads UDP flows over backends by a consistent-hash table that user space fills: the hash of the flow picks a ring slot, the slot a
 * backend, and the packet goes back out to the backend's hardware address. */
#include "soundcheck_bpf.h"

#define RING_SIZE 64
#define MOST_BACKENDS 16

struct backend {
    u8 address[6];
    u16 alive;
};

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u32);
    __uint(max_entries, RING_SIZE);
} ring SEC(".maps");

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, struct backend);
    __uint(max_entries, MOST_BACKENDS);
} backends SEC(".maps");

static inline_always u32 mix(u32 hash, u32 word)
{
    hash ^= word * 0xcc9e2d51;
    hash = hash << 13 | hash >> 19;
    return hash * 5 + 0xe6546b64;
}

SEC("xdp")
int load_balancer(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct ipv4 *ip = (void *)(frame + 1);
    struct udp *udp = (void *)(ip + 1);
    if ((void *)(udp + 1) > DATA_END(context) || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    if (ip->version_length != 0x45 || ip->protocol != IP_UDP)
        return XDP_PASS;

    u32 hash = mix(mix(0, ip->source), ip->destination);
    hash = mix(hash, udp->source << 16 | udp->destination);
    u32 slot = hash % RING_SIZE;
    u32 *chosen = map_lookup_elem(&ring, &slot);
    if (!chosen)
        return XDP_ABORTED;
    struct backend *backend = map_lookup_elem(&backends, chosen);
    if (!backend || !backend->alive)
        return XDP_DROP;
    __builtin_memcpy(frame->source, frame->destination, 6);
    __builtin_memcpy(frame->destination, backend->address, 6);
    return XDP_TX;
}

LICENSE("GPL");
