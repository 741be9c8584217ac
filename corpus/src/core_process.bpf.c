/* Compile once, run everywhere: reads fields of the kernel's own structures wherever the running kernel has put them. */
#include "soundcheck_bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
    s32 pid;
    s32 tgid;
    struct task_struct *real_parent;
};
#pragma clang attribute pop

#define FIELD(to, from) probe_read_kernel(&(to), sizeof(to), __builtin_preserve_access_index(&(from)))

struct {
    __uint(type, MAP_HASH);
    __type(key, s32);
    __type(value, s32);
    __uint(max_entries, 4096);
} parents SEC(".maps");

SEC("kprobe/wake_up_new_task")
int note_parent(struct pt_regs *registers)
{
    struct task_struct *task = (void *)registers->di;
    struct task_struct *parent;
    s32 pid, parent_pid;
    if (FIELD(pid, task->pid) || FIELD(parent, task->real_parent) || FIELD(parent_pid, parent->tgid))
        return 0;
    map_update_elem(&parents, &pid, &parent_pid, ANY);
    return __builtin_preserve_field_info(task->pid, 2 /* exists */);
}

LICENSE("GPL");
