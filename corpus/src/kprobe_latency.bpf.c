/* How long a kernel function takes: the entry probe notes the time, the return probe fills a logarithmic histogram. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_HASH);
    __type(key, u64);
    __type(value, u64);
    __uint(max_entries, 10240);
} started SEC(".maps");

struct {
    __uint(type, MAP_ARRAY);
    __type(key, u32);
    __type(value, u64);
    __uint(max_entries, 64);
} histogram SEC(".maps");

static noinline u32 logarithm(u64 value)
{
    u32 result = 0;
    for (int step = 32; step > 0; step /= 2) {
        if (value >> step) {
            value >>= step;
            result += step;
        }
    }
    return result;
}

SEC("kprobe/vfs_read")
int on_entry(struct pt_regs *registers)
{
    u64 thread = get_current_pid_tgid();
    u64 now = ktime_get_ns();
    map_update_elem(&started, &thread, &now, ANY);
    return 0;
}

SEC("kretprobe/vfs_read")
int on_return(struct pt_regs *registers)
{
    u64 thread = get_current_pid_tgid();
    u64 *start = map_lookup_elem(&started, &thread);
    if (!start)
        return 0;
    u32 bucket = logarithm(ktime_get_ns() - *start);
    map_delete_elem(&started, &thread);
    u64 *count = map_lookup_elem(&histogram, &bucket);
    if (count)
        __sync_fetch_and_add(count, 1);
    return 0;
}

LICENSE("GPL");
