/* Fault: sends eight bytes more to user space than the record has. */
#include "soundcheck_bpf.h"

struct {
    __uint(type, MAP_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
    __uint(max_entries, 64);
} events SEC(".maps");

SEC("tp/syscalls/sys_enter_close")
int perf_size(void *context)
{
    u64 record = ktime_get_ns();
    perf_event_output(context, &events, 0xffffffffULL, &record, sizeof(record) + 8);
    return 0;
}

LICENSE("GPL");
