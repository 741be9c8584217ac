/* Fault: a helper that the kernel keeps for programs under the GPL, in a program under another license. */
#include "soundcheck_bpf.h"

SEC("kprobe/vfs_read")
int gpl_only(struct pt_regs *registers)
{
    static const char format[] = "read of %d bytes";
    trace_printk(format, sizeof(format), (u32)registers->dx);
    return 0;
}

LICENSE("Proprietary");
