/* A kernel with two structures of one name that disagree, as kernels built with modules' own copies can have. */
#include "../../../corpus/src/soundcheck_bpf.h"

struct task_struct {
    s32 pid;
} first;

struct task_struct___copy {
    u64 moved;
    s32 pid;
} second;
