/* Fault: a control group's ingress filter answers 0 or 1, nothing else. */
#include "soundcheck_bpf.h"

SEC("cgroup_skb/ingress")
int wrong_return(struct __sk_buff *skb)
{
    return skb->len > 1500 ? 2 : 1;
}

LICENSE("GPL");
