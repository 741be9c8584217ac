/* Goes on in itself as often as it may, and says how often it has run. */
#include "soundcheck_bpf.h"

int again(struct xdp_md *context);

struct {
    __uint(type, MAP_PROG_ARRAY);
    __uint(key_size, sizeof(u32));
    __uint(max_entries, 1);
    __array(values, int(void *));
} self SEC(".maps") = {
    .values = {[0] = (void *)&again},
};

u32 runs = 0;

SEC("xdp")
int again(struct xdp_md *context)
{
    runs += 1;
    tail_call(context, &self, 0);
    /* There have been as many tail calls as a run may do. */
    return runs;
}

LICENSE("GPL");
