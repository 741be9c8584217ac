/* Fault: a socket filter may look at packets, not change where they go. */
#include "soundcheck_bpf.h"

SEC("socket")
int forbidden_helper(struct __sk_buff *skb)
{
    return redirect(1, 0);
}

LICENSE("GPL");
