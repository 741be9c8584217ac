/* A socket filter that keeps IPv4 TCP packets from or to port 80, whole; reads with the helper, so the header length may vary. */
#include "soundcheck_bpf.h"

SEC("socket")
int http_only(struct __sk_buff *skb)
{
    struct ipv4 ip;
    struct tcp tcp;
    u16 type;
    if (skb_load_bytes(skb, 12, &type, sizeof(type)) || type != be16(ETH_IPV4))
        return 0;
    if (skb_load_bytes(skb, sizeof(struct ethernet), &ip, sizeof(ip)) || ip.protocol != IP_TCP)
        return 0;
    u32 length = (ip.version_length & 0xf) * 4;
    if (skb_load_bytes(skb, sizeof(struct ethernet) + length, &tcp, sizeof(tcp)))
        return 0;
    return tcp.source == be16(80) || tcp.destination == be16(80) ? skb->len : 0;
}

LICENSE("GPL");
