/* A key whose padding bytes were never written. Linux before 6.3 rejects this; later ones let privileged programs read stack that was not
 * initialised, so the look-up silently depends on what was there. */
#include "soundcheck_bpf.h"

struct key {
    u32 interface;
    u8 queue;
    u8 padding[3];
};

struct {
    __uint(type, MAP_HASH);
    __type(key, struct key);
    __type(value, u32);
    __uint(max_entries, 16);
} actions SEC(".maps");

SEC("xdp")
int stack_padding(struct xdp_md *context)
{
    struct key key;
    key.interface = context->ingress_ifindex;
    key.queue = context->rx_queue_index;
    u32 *action = map_lookup_elem(&actions, &key);
    return action && *action == XDP_DROP ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
