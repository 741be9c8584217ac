/* Fault: the packet says how many bytes go into a buffer of 64. */
#include "soundcheck_bpf.h"

SEC("tc")
int unbounded_size(struct __sk_buff *skb)
{
    u8 buffer[64] = {};
    u8 length;
    if (skb_load_bytes(skb, 0, &length, 1))
        return TC_OK;
    if (skb_load_bytes(skb, 1, buffer, length))
        return TC_OK;
    return buffer[0] == 0 ? TC_OK : TC_SHOT;
}

LICENSE("GPL");
