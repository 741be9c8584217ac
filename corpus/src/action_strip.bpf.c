/* A traffic control action that clears the urgent pointer of TCP segments without the URG flag, by direct packet access. */
#include "soundcheck_bpf.h"

SEC("action")
int clear_urgent(struct __sk_buff *skb)
{
    struct ethernet *frame = DATA(skb);
    struct ipv4 *ip = (void *)(frame + 1);
    if ((void *)(ip + 1) > DATA_END(skb) || frame->type != be16(ETH_IPV4) || ip->protocol != IP_TCP)
        return TC_OK;
    struct tcp *tcp = (void *)ip + ((ip->version_length & 0xf) << 2);
    if ((void *)(tcp + 1) > DATA_END(skb))
        return TC_OK;
    if (!(tcp->flags & 0x20) && tcp->urgent) {
        u32 sum = (u16)~tcp->checksum + (u16)~tcp->urgent;
        sum = (sum & 0xffff) + (sum >> 16);
        tcp->checksum = ~sum;
        tcp->urgent = 0;
    }
    return TC_OK;
}

LICENSE("GPL");
