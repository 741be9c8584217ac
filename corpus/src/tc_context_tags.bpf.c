/* Global functions whose argument is tagged as the context: what pointers may stand for it. */
#include "soundcheck_bpf.h"

#define CONTEXT __attribute__((btf_decl_tag("arg:ctx")))

struct pair {
    u32 first;
    u32 second;
};

/* One function for programs of all types. */
noinline u32 length_of(const void *context CONTEXT)
{
    const struct __sk_buff *skb = context;
    return skb->len;
}

noinline u32 priority_of(struct __sk_buff *skb CONTEXT)
{
    return skb->priority;
}

noinline u32 first_of(struct pair *pair CONTEXT)
{
    return pair->first;
}

noinline u32 follow(void **address CONTEXT)
{
    return *address != NULL;
}

SEC("tc")
int context_by_void(struct __sk_buff *skb)
{
    return length_of(skb) < 1000 ? 0 : priority_of(skb) & 1;
}

SEC("tc")
int context_by_other_struct(struct __sk_buff *skb)
{
    return first_of((void *)skb);
}

SEC("tc")
int context_by_no_name(struct __sk_buff *skb)
{
    return follow((void *)skb);
}

SEC("syscall")
int any_name(void *context)
{
    return first_of(context);
}

SEC("syscall")
int no_name(void *context)
{
    return follow(context);
}

SEC("tp_btf/sys_enter")
int registers_by_void(u64 *context)
{
    return length_of(context);
}

SEC("tp_btf/sys_enter")
int registers_by_struct(u64 *context)
{
    return first_of((void *)context);
}

LICENSE("GPL");
