/* A stateless firewall: the five-tuple decides by a hash map, a constant by default, and every rule counts its packets. */
#include "soundcheck_bpf.h"

struct flow {
    u32 source;
    u32 destination;
    u16 source_port;
    u16 destination_port;
    u8 protocol;
    u8 padding[3];
};

struct rule {
    u32 action;
    u32 padding;
    u64 packets;
    u64 bytes;
};

struct {
    __uint(type, MAP_HASH);
    __type(key, struct flow);
    __type(value, struct rule);
    __uint(max_entries, 4096);
} rules SEC(".maps");

const volatile u32 default_action = XDP_PASS;

struct ports {
    u16 source;
    u16 destination;
};

SEC("xdp")
int firewall(struct xdp_md *context)
{
    void *start = DATA(context);
    void *end = DATA_END(context);
    struct ethernet *frame = start;
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > end || frame->type != be16(ETH_IPV4))
        return XDP_PASS;
    u32 length = (ip->version_length & 0xf) * 4;
    if (length < sizeof(*ip))
        return XDP_DROP;

    struct flow flow = {.source = ip->source, .destination = ip->destination, .protocol = ip->protocol};
    if (ip->protocol == IP_TCP || ip->protocol == IP_UDP) {
        struct ports *ports = (void *)ip + length;
        if ((void *)(ports + 1) > end)
            return XDP_DROP;
        flow.source_port = be16(ports->source);
        flow.destination_port = be16(ports->destination);
    }
    struct rule *rule = map_lookup_elem(&rules, &flow);
    if (!rule)
        return default_action;
    __sync_fetch_and_add(&rule->packets, 1);
    __sync_fetch_and_add(&rule->bytes, end - start);
    return rule->action == XDP_DROP ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
