/* Global functions whose arguments have tags, or are dynptrs: what callers must give, and what the functions rely on. */
#include "soundcheck_bpf.h"

#define TAG(name) __attribute__((btf_decl_tag("arg:" name)))

struct bpf_dynptr {
    u64 opaque[2];
} __attribute__((aligned(8)));

static long (*dynptr_from_mem)(void *data, u32 size, u64 flags, struct bpf_dynptr *to) = (void *)197;
static long (*dynptr_read)(void *to, u32 size, const struct bpf_dynptr *from, u32 offset, u64 flags) = (void *)201;

struct window {
    u32 offset;
    u32 size;
};

char bytes[64];
u64 seen;

noinline u32 size_of(struct pt_regs *registers TAG("ctx"))
{
    return registers->dx & 63;
}

noinline u32 end_of(struct window *window TAG("nonnull"))
{
    return window->offset + window->size;
}

/* Whatever the address is: the kernel guards the load. */
noinline u64 peek(u64 *address TAG("untrusted"))
{
    return *address;
}

noinline int first_byte(struct bpf_dynptr *from)
{
    u8 byte = 0;
    if (dynptr_read(&byte, sizeof(byte), from, 0, 0))
        return -1;
    return byte;
}

SEC("kprobe/vfs_write")
int argument_tags(struct pt_regs *registers)
{
    struct window window = {8, size_of(registers)};
    struct bpf_dynptr dynptr;
    seen = peek((u64 *)registers->si) + end_of(&window);
    dynptr_from_mem(bytes, sizeof(bytes), 0, &dynptr);
    return first_byte(&dynptr) < 0;
}

LICENSE("GPL");
