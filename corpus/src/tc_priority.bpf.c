/* Sets mark and priority from the service class of IPv4 and IPv6 packets by a table in constant data. */
#include "soundcheck_bpf.h"

static const u32 priorities[8] = {0, 1, 2, 3, 4, 5, 6, 7};

SEC("tc")
int priority_by_class(struct __sk_buff *skb)
{
    u8 class;
    u16 type;
    if (skb_load_bytes(skb, 12, &type, sizeof(type)))
        return TC_SHOT;
    if (type == be16(ETH_IPV4)) {
        if (skb_load_bytes(skb, sizeof(struct ethernet) + 1, &class, sizeof(class)))
            return TC_SHOT;
        class >>= 5;
    } else if (type == be16(ETH_IPV6)) {
        if (skb_load_bytes(skb, sizeof(struct ethernet), &class, sizeof(class)))
            return TC_SHOT;
        class = (class & 0xf) >> 1;
    } else {
        return TC_OK;
    }
    skb->priority = priorities[class & 7];
    skb->mark = class << 8 | 1;
    skb->cb[0] = class;
    return TC_OK;
}

LICENSE("Dual BSD/GPL");
