/* A program that throws in a function, and has an exception callback that nothing in it calls, which calls another function. */
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define noinline __attribute__((noinline))

struct __sk_buff {
    unsigned int len;
};

extern void bpf_throw(u64 cookie) __attribute__((section(".ksyms")));

static noinline int least(u64 cookie)
{
    return cookie & 1;
}

noinline int caught(u64 cookie)
{
    return least(cookie) + 1;
}

static noinline int checked(struct __sk_buff *skb)
{
    if (skb->len < 64)
        bpf_throw(skb->len);
    return 0;
}

__attribute__((btf_decl_tag("exception_callback:caught")))
SEC("tc") int short_packets(struct __sk_buff *skb)
{
    return checked(skb);
}

SEC("tc") int all_packets(struct __sk_buff *skb)
{
    return checked(skb);
}

__attribute__((btf_decl_tag("exception_callback:absent")))
SEC("tc") int no_packets(struct __sk_buff *skb)
{
    return checked(skb);
}

char license_text[] SEC("license") = "GPL";
