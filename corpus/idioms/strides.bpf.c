/* Multiples, remainders and strides that are not powers of two. */
#include "idioms.h"

IDIOM(struct_stride)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 5)
        return XDP_PASS;
    struct three {
        u8 a[12];
    }
    *t = (void *)r->bytes;
    return t[i].a[11];
}

IDIOM(stride_inv)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 64)
        return XDP_PASS;
    u32 q = n / 4;
    if (q == 0)
        return XDP_PASS;
    return r->words[q - 1];
}

IDIOM(mul_align)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 5)
        return XDP_PASS;
    u32 o = i * 12;
    return *(u32 *)(r->bytes + o);
}

IDIOM(stack_mul_align)
{
    u32 a[15] = {0};
    u32 i = get_prandom_u32();
    if (i >= 5)
        return XDP_PASS;
    return a[i * 3 + 1];
}

IDIOM(stack_mul_align12)
{
    struct t {
        u64 x, y, z;
    }
    a[4] = {{0}};
    RECORD(r);
    u32 i = r->offset;
    if (i >= 4)
        return XDP_PASS;
    return a[i].z;
}

IDIOM(stack_mul_loop)
{
    u64 a[12] = {0};
    RECORD(r);
    u32 i = 0;
    for (int k = 0; k < 4; k++) {
        a[i] = k;
        i += 3;
    }
    return a[r->offset % 12];
}

IDIOM(stack12)
{
    u32 a[15] = {0};
    RECORD(r);
    u32 i = r->offset;
    if (i >= 5)
        return XDP_PASS;
    u32 *p = a + i * 3;
    return p[0] + p[1] + p[2];
}

IDIOM(stack20)
{
    u32 a[20] = {0};
    RECORD(r);
    u32 i = r->offset;
    if (i >= 4)
        return XDP_PASS;
    return a[i * 5 + 4];
}

IDIOM(stack_write12)
{
    u32 a[15] = {0};
    RECORD(r);
    u32 i = r->offset;
    if (i >= 5)
        return XDP_PASS;
    a[i * 3 + 1] = 7;
    return a[4];
}

IDIOM(mul3_mod)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 20)
        return XDP_PASS;
    u32 o = i * 3;
    if (o % 3 == 0)
        return r->bytes[o + 2];
    return r->bytes[o];
}

IDIOM(div_mul)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 60)
        return XDP_PASS;
    return r->bytes[i / 12 * 12 + 11];
}

IDIOM(div_mul_rem)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 60)
        return XDP_PASS;
    return r->bytes[i / 7 * 7 + i % 7];
}

IDIOM(round_down)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 60)
        return XDP_PASS;
    i -= i % 12;
    return r->bytes[i + 11];
}

IDIOM(round_up12)
{
    RECORD(r);
    u32 i = r->offset;
    if (i > 48)
        return XDP_PASS;
    i = (i + 11) / 12 * 12;
    return r->bytes[i - (i ? 1 : 0)];
}

IDIOM(step3)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 20)
        return XDP_PASS;
    u32 s = 0;
    for (u32 i = 0; i < n * 3; i += 3)
        s += r->bytes[i] + r->bytes[i + 2];
    return s;
}

IDIOM(step3_ne)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 20)
        return XDP_PASS;
    u32 s = 0;
    for (u32 i = 0; i != n * 3; i += 3) {
        if (i >= 58)
            break;
        s += r->bytes[i] + r->bytes[i + 2];
    }
    return s;
}
