/* Destination translation on ingress: TCP connections to port 80 go to 8080 of another address; both checksums follow. */
#include "soundcheck_bpf.h"

#define IP_AT sizeof(struct ethernet)
#define TCP_AT (IP_AT + sizeof(struct ipv4))
#define PSEUDO_HEADER 0x10

const volatile u32 new_destination = 0x6401a8c0; /* 192.168.1.100 */

SEC("tc")
int port_rewrite(struct __sk_buff *skb)
{
    struct ethernet *frame = DATA(skb);
    struct ipv4 *ip = (void *)(frame + 1);
    struct tcp *tcp = (void *)(ip + 1);
    if ((void *)(tcp + 1) > DATA_END(skb) || frame->type != be16(ETH_IPV4))
        return TC_OK;
    if (ip->version_length != 0x45 || ip->protocol != IP_TCP || tcp->destination != be16(80))
        return TC_OK;

    u32 from = ip->destination;
    u32 to = new_destination;
    u16 from_port = tcp->destination;
    u16 to_port = be16(8080);
    l4_csum_replace(skb, TCP_AT + __builtin_offsetof(struct tcp, checksum), from, to, PSEUDO_HEADER | sizeof(to));
    l4_csum_replace(skb, TCP_AT + __builtin_offsetof(struct tcp, checksum), from_port, to_port, sizeof(to_port));
    l3_csum_replace(skb, IP_AT + __builtin_offsetof(struct ipv4, checksum), from, to, sizeof(to));
    if (skb_store_bytes(skb, IP_AT + __builtin_offsetof(struct ipv4, destination), &to, sizeof(to), 0))
        return TC_SHOT;
    if (skb_store_bytes(skb, TCP_AT + __builtin_offsetof(struct tcp, destination), &to_port, sizeof(to_port), 0))
        return TC_SHOT;
    return TC_OK;
}

LICENSE("GPL");
