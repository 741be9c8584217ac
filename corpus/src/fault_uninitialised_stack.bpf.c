/* Fault: follows a pointer that lies on the stack and was never set. */
#include "soundcheck_bpf.h"

SEC("xdp")
int uninitialised_stack(struct xdp_md *context)
{
    u32 *volatile pointer;
    return *pointer & 3;
}

LICENSE("GPL");
