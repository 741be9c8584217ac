/* Reads arguments of a kernel function and the memory behind one of them, and keeps a histogram of sizes on each processor. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_PERCPU_HASH);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 512);
} sizes SEC(".maps");

SEC("kprobe/vfs_write")
int write_sizes(struct pt_regs *registers)
{
    char first[8] = {};
    if (probe_read_kernel(first, sizeof(first), (void *)registers->di))
        return 0;
    u32 pages = registers->dx >> 12;
    u64 one = 1;
    u64 *count = map_lookup_elem(&sizes, &pages);
    if (count)
        *count += 1;
    else
        map_update_elem(&sizes, &pages, &one, NOEXIST);
    return first[0] == 0;
}

LICENSE("GPL");
