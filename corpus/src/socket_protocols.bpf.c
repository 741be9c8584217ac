/* Counts the bytes of each protocol with the legacy packet loads, which end the program with 0 when the packet is too short. */
#include "soundcheck_bpf.h"

u64 load_byte(void *skb, u64 offset) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 offset) asm("llvm.bpf.load.half");

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 256);
} bytes SEC(".maps");

SEC("socket")
int protocol_bytes(struct __sk_buff *skb)
{
    if (load_half(skb, 12) != ETH_IPV4)
        return 0;
    u32 protocol = load_byte(skb, sizeof(struct ethernet) + __builtin_offsetof(struct ipv4, protocol));
    u64 *count = map_lookup_elem(&bytes, &protocol);
    if (count)
        __sync_fetch_and_add(count, skb->len);
    return protocol == IP_UDP ? -1 : 64;
}

LICENSE("GPL");
