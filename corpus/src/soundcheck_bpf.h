/* What the corpus programs need, and nothing more: kernel interfaces by number and layout, network headers, map definitions. */
#ifndef SOUNDCHECK_BPF_H
#define SOUNDCHECK_BPF_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

#define SEC(name) __attribute__((section(name), used))
#define noinline __attribute__((noinline))
#define inline_always inline __attribute__((always_inline))
#define LICENSE(text) char license_text[] SEC("license") = text
#define NULL ((void *)0)

/* BTF-defined maps: a number is the length of an array, a type is what a pointer points to. */
#define __uint(name, number) int(*name)[number]
#define __type(name, of) __typeof__(of) *name
#define __array(name, of) __typeof__(of) *name[]

enum { /* map types */
    MAP_HASH = 1,
    MAP_ARRAY = 2,
    MAP_PROG_ARRAY = 3,
    MAP_PERF_EVENT_ARRAY = 4,
    MAP_PERCPU_HASH = 5,
    MAP_PERCPU_ARRAY = 6,
    MAP_ARRAY_OF_MAPS = 12,
    MAP_HASH_OF_MAPS = 13,
};

enum { ANY = 0, NOEXIST = 1, EXIST = 2 }; /* flags of map_update_elem */

/* Helpers by number. */
static void *(*map_lookup_elem)(const void *map, const void *key) = (void *)1;
static long (*map_update_elem)(const void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*map_delete_elem)(const void *map, const void *key) = (void *)3;
static u64 (*ktime_get_ns)(void) = (void *)5;
static long (*trace_printk)(const char *format, u32 size, ...) = (void *)6;
static u32 (*get_prandom_u32)(void) = (void *)7;
static u32 (*get_smp_processor_id)(void) = (void *)8;
static long (*skb_store_bytes)(void *skb, u32 offset, const void *from, u32 size, u64 flags) = (void *)9;
static long (*l3_csum_replace)(void *skb, u32 offset, u64 from, u64 to, u64 size) = (void *)10;
static long (*l4_csum_replace)(void *skb, u32 offset, u64 from, u64 to, u64 flags) = (void *)11;
static long (*tail_call)(void *context, const void *programs, u32 index) = (void *)12;
static u64 (*get_current_pid_tgid)(void) = (void *)14;
static u64 (*get_current_uid_gid)(void) = (void *)15;
static long (*get_current_comm)(void *buffer, u32 size) = (void *)16;
static long (*redirect)(u32 interface, u64 flags) = (void *)23;
static long (*perf_event_output)(void *context, const void *map, u64 flags, const void *data, u64 size) = (void *)25;
static long (*skb_load_bytes)(const void *skb, u32 offset, void *to, u32 size) = (void *)26;
static s64 (*csum_diff)(const void *from, u32 from_size, const void *to, u32 to_size, u32 seed) = (void *)28;
static long (*xdp_adjust_head)(void *context, int delta) = (void *)44;
static long (*xdp_adjust_meta)(void *context, int delta) = (void *)54;
static long (*xdp_adjust_tail)(void *context, int delta) = (void *)65;
static long (*probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*for_each_map_elem)(const void *map, void *callback, void *context, u64 flags) = (void *)164;
static long (*loop)(u32 runs, void *callback, void *context, u64 flags) = (void *)181;

/* Contexts. */
struct xdp_md {
    u32 data;
    u32 data_end;
    u32 data_meta;
    u32 ingress_ifindex;
    u32 rx_queue_index;
    u32 egress_ifindex;
};

struct __sk_buff {
    u32 len;
    u32 pkt_type;
    u32 mark;
    u32 queue_mapping;
    u32 protocol;
    u32 vlan_present;
    u32 vlan_tci;
    u32 vlan_proto;
    u32 priority;
    u32 ingress_ifindex;
    u32 ifindex;
    u32 tc_index;
    u32 cb[5];
    u32 hash;
    u32 tc_classid;
    u32 data;
    u32 data_end;
    u32 napi_id;
    u32 family;
    u32 remote_ip4;
    u32 local_ip4;
    u32 remote_ip6[4];
    u32 local_ip6[4];
    u32 remote_port;
    u32 local_port;
    u32 data_meta;
};

struct pt_regs { /* x86-64 */
    u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum { TC_OK = 0, TC_SHOT = 2, TC_REDIRECT = 7 };

#define DATA(context) ((void *)(long)(context)->data)
#define DATA_END(context) ((void *)(long)(context)->data_end)
#define DATA_META(context) ((void *)(long)(context)->data_meta)

/* Packets. */
#define be16(value) ((u16)__builtin_bswap16(value))
#define be32(value) ((u32)__builtin_bswap32(value))

enum { ETH_IPV4 = 0x0800, ETH_ARP = 0x0806, ETH_VLAN = 0x8100, ETH_IPV6 = 0x86dd, ETH_QINQ = 0x88a8 };
enum { IP_ICMP = 1, IP_IPIP = 4, IP_TCP = 6, IP_UDP = 17, IP_ICMPV6 = 58 };

struct ethernet {
    u8 destination[6];
    u8 source[6];
    u16 type;
} __attribute__((packed));

struct vlan {
    u16 tag;
    u16 type;
};

struct ipv4 {
    u8 version_length; /* version in the high half, header length in 32-bit words in the low one */
    u8 service;
    u16 total_length;
    u16 id;
    u16 fragment;
    u8 ttl;
    u8 protocol;
    u16 checksum;
    u32 source;
    u32 destination;
};

struct ipv6 {
    u32 version_class_flow;
    u16 payload_length;
    u8 next_header;
    u8 hop_limit;
    u32 source[4];
    u32 destination[4];
};

struct tcp {
    u16 source;
    u16 destination;
    u32 sequence;
    u32 acknowledgement;
    u8 offset_reserved;
    u8 flags;
    u16 window;
    u16 checksum;
    u16 urgent;
};

struct udp {
    u16 source;
    u16 destination;
    u16 length;
    u16 checksum;
};

struct icmp {
    u8 type;
    u8 code;
    u16 checksum;
    u16 id;
    u16 sequence;
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

#endif
