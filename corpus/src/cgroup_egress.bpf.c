/* Lets a control group send to private addresses only (10.0.0.0/8 and 192.168.0.0/16). */
#include "soundcheck_bpf.h"

SEC("cgroup_skb/egress")
int private_only(struct __sk_buff *skb)
{
    struct ipv4 *ip = DATA(skb);
    if ((void *)(ip + 1) > DATA_END(skb))
        return 1;
    if (ip->version_length >> 4 != 4)
        return 1;
    u32 destination = be32(ip->destination);
    if (destination >> 24 == 10 || destination >> 16 == 0xc0a8)
        return 1;
    return 0;
}

LICENSE("GPL");
