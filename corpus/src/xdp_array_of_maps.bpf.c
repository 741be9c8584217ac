/* One policy table for each tenant: the outer array is indexed by VLAN, the inner one by IP protocol. */
#include "soundcheck_bpf.h"

struct policy {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u32);
    __uint(max_entries, 256);
} first_tenant SEC(".maps"), second_tenant SEC(".maps");

struct {
    __uint(type, MAP_ARRAY_OF_MAPS);
    __type(key, u32);
    __uint(max_entries, 16);
    __array(values, struct policy);
} tenants SEC(".maps") = {
    .values = {[1] = &first_tenant, [2] = &second_tenant},
};

SEC("xdp")
int tenant_policy(struct xdp_md *context)
{
    struct ethernet *frame = DATA(context);
    struct vlan *tag = (void *)(frame + 1);
    struct ipv4 *ip = (void *)(tag + 1);
    if ((void *)(ip + 1) > DATA_END(context) || frame->type != be16(ETH_VLAN))
        return XDP_PASS;
    if (tag->type != be16(ETH_IPV4))
        return XDP_PASS;
    u32 tenant = be16(tag->tag) & 0xfff;
    void *policy = map_lookup_elem(&tenants, &tenant);
    if (!policy)
        return XDP_ABORTED;
    u32 protocol = ip->protocol;
    u32 *blocked = map_lookup_elem(policy, &protocol);
    if (!blocked)
        return XDP_ABORTED;
    return *blocked ? XDP_DROP : XDP_PASS;
}

LICENSE("GPL");
