/* Fault: one path leaves the result without a value. */
#include "soundcheck_bpf.h"

SEC("xdp")
int uninitialised_register(struct xdp_md *context)
{
    u64 queue = context->rx_queue_index;
    u64 verdict;
    asm volatile("if %1 == 0 goto +1;"
                 "%0 = 2;"
                 : "=&r"(verdict)
                 : "r"(queue));
    return verdict;
}

LICENSE("GPL");
