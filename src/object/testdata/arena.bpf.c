/* Variables in an arena: they lie in a section of their own, and their addresses are places in the object's arena. */
#include "../../../corpus/src/soundcheck_bpf.h"

#define arena_ptr __attribute__((address_space(1)))

struct {
    __uint(type, 33 /* arena */);
    __uint(map_flags, 1 << 10 /* mmapable */);
    __uint(max_entries, 16);
} pages SEC(".maps");

u64 arena_ptr first;
u64 arena_ptr second;

SEC("tc")
int count(void *context)
{
    u64 arena_ptr *at = &second;
    first = first + 1;
    *at = first;
    return 0;
}

LICENSE("GPL");
