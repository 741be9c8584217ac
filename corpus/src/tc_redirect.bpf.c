/* Sends one in eight packets, by random choice, out of another interface; the interface is set before loading. */
#include "soundcheck_bpf.h"

const volatile u32 mirror_interface = 0;

SEC("tc/ingress")
int sample_redirect(struct __sk_buff *skb)
{
    if (!mirror_interface || get_prandom_u32() & 7)
        return TC_OK;
    return redirect(mirror_interface, 0);
}

SEC("tc/egress")
int count_by_processor(struct __sk_buff *skb)
{
    skb->tc_index = get_smp_processor_id();
    return skb->len > 1500 ? TC_SHOT : TC_OK;
}

LICENSE("GPL");
