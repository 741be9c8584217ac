/* Fault: waits for a value that this program never changes. */
#include "soundcheck_bpf.h"

SEC("xdp")
int infinite_loop(struct xdp_md *context)
{
    volatile u32 ready = 0;
    while (!ready)
        ;
    return XDP_PASS;
}

LICENSE("GPL");
