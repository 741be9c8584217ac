/*
 * What programs do that a verifier must follow numbers for: one idiom a program, all of them safe. The verdicts are in
 * properties/verifier/idioms.test.ts.
 */
#ifndef IDIOMS_H
#define IDIOMS_H

#include "../src/soundcheck_bpf.h"

struct record {
    u32 length;
    u32 offset;
    u64 wide;
    s32 sign;
    u8 bytes[64];
    u8 out[64];
    u32 words[16];
    u8 kind;
    u16 port;
};

struct {
    __uint(type, MAP_HASH);
    __type(key, u32);
    __type(value, struct record);
    __uint(max_entries, 8);
} records SEC(".maps");

#define IDIOM(name) SEC("xdp") int name(struct xdp_md *context)
/* The record that numbers come from. */
#define RECORD(r)                                        \
    u32 key = 0;                                         \
    struct record *r = map_lookup_elem(&records, &key);  \
    if (!r)                                              \
        return XDP_PASS
#define PACKET u8 *data = DATA(context), *end = DATA_END(context)
/* The compiler must not see that two numbers are related. */
#define HIDE(x) asm volatile("" : "+r"(x))

LICENSE("GPL");

#endif
