/* Fault: writes to constant data, which the program can only read. */
#include "soundcheck_bpf.h"

const volatile u32 limit = 100;

SEC("xdp")
int constant_write(struct xdp_md *context)
{
    *(volatile u32 *)&limit = context->rx_queue_index;
    return XDP_PASS;
}

LICENSE("GPL");
