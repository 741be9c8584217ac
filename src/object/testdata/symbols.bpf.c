/* Symbols of the kernel of which only the names are told. */
#include "../../../corpus/src/soundcheck_bpf.h"

#define KSYMS __attribute__((section(".ksyms")))
#define WEAK __attribute__((weak))

extern const void schedule KSYMS;
extern const void kfree KSYMS WEAK;
extern const void no_such_symbol KSYMS WEAK;
extern const void no_such_symbol_either KSYMS;

u64 results[4];

SEC("tc")
int present(struct __sk_buff *skb)
{
    results[0] = (u64)&schedule;
    results[1] = (u64)&kfree;
    return 0;
}

/* Safe if, and only if, the symbol is known to be missing. */
SEC("tc")
int absent(struct __sk_buff *skb)
{
    if (&no_such_symbol)
        return *(volatile int *)0;
    return 1;
}

SEC("tc")
int strong(struct __sk_buff *skb)
{
    results[2] = (u64)&no_such_symbol_either;
    return 0;
}

LICENSE("GPL");
