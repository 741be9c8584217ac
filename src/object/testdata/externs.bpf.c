/* What an object may ask of the kernel. */
#include "../../../corpus/src/soundcheck_bpf.h"

#define KCONFIG __attribute__((section(".kconfig")))
#define KSYMS __attribute__((section(".ksyms")))
#define WEAK __attribute__((weak))

extern int LINUX_KERNEL_VERSION KCONFIG;
extern unsigned long long CONFIG_HZ KCONFIG WEAK;
extern char CONFIG_TRISTATE KCONFIG WEAK;
extern _Bool CONFIG_MISSING KCONFIG WEAK;
extern const char CONFIG_NAME[8] KCONFIG WEAK;
extern int CONFIG_STRONG KCONFIG;

extern void bpf_rcu_read_lock(void) KSYMS;
extern void bpf_rcu_read_unlock(void) KSYMS;
extern int bpf_no_such_function(void) KSYMS WEAK;
extern const int no_such_variable KSYMS WEAK;

extern const int some_variable KSYMS;
extern const void some_address KSYMS;

u64 results[8];

SEC("tc")
int configuration(struct __sk_buff *skb)
{
    results[0] = LINUX_KERNEL_VERSION;
    results[1] = CONFIG_HZ;
    results[2] = CONFIG_TRISTATE;
    results[3] = CONFIG_MISSING;
    results[4] = CONFIG_NAME[1];
    return 0;
}

SEC("tc")
int functions(struct __sk_buff *skb)
{
    bpf_rcu_read_lock();
    bpf_rcu_read_unlock();
    if (bpf_no_such_function)
        return bpf_no_such_function();
    results[6] = (u64)&no_such_variable;
    return 0;
}

SEC("tc")
int variables(struct __sk_buff *skb)
{
    results[6] = (u64)&some_variable;
    results[7] = (u64)&some_address;
    return 0;
}

SEC("tc")
int strong(struct __sk_buff *skb)
{
    return CONFIG_STRONG;
}

LICENSE("GPL");
