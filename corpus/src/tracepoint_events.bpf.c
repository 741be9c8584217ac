/* Sends a record to user space for each process that ends with an error, through the perf event array. */
#include "soundcheck_bpf.h"

struct sys_enter {
    u64 common;
    s64 number;
    u64 arguments[6];
};

struct event {
    u64 time;
    u32 process;
    u32 status;
    char command[16];
};

struct {
    __uint(type, MAP_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(value_size, sizeof(u32));
    __uint(max_entries, 64);
} events SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_exit_group")
int report_exit(struct sys_enter *context)
{
    u32 status = context->arguments[0];
    if (!status)
        return 0;
    struct event event = {
        .time = ktime_get_ns(),
        .process = get_current_pid_tgid() >> 32,
        .status = status,
    };
    get_current_comm(event.command, sizeof(event.command));
    perf_event_output(context, &events, 0xffffffffULL, &event, sizeof(event));
    return 0;
}

LICENSE("GPL");
