/* Counts the files that each process opens, with the command's name, at a system call's tracepoint. */
#include "soundcheck_bpf.h"

struct sys_enter {
    u64 common;
    s64 number;
    u64 arguments[6];
};

struct usage {
    u64 calls;
    u64 last_flags;
    u32 user;
    char command[16];
};

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, struct usage);
    __uint(max_entries, 8192);
} usages SEC(".maps");

SEC("tp/syscalls/sys_enter_openat")
int count_opens(struct sys_enter *context)
{
    u32 process = get_current_pid_tgid() >> 32;
    struct usage *usage = map_lookup_elem(&usages, &process);
    if (usage) {
        usage->calls++;
        usage->last_flags = context->arguments[2];
        return 0;
    }
    struct usage first = {.calls = 1, .last_flags = context->arguments[2], .user = (u32)get_current_uid_gid()};
    get_current_comm(first.command, sizeof(first.command));
    map_update_elem(&usages, &process, &first, ANY);
    return 0;
}

LICENSE("GPL");
