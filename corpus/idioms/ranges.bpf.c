/* Ranges checked by one comparison of a difference, numbers around zero, saturation, rings. */
#include "idioms.h"

IDIOM(range_switch)
{
    RECORD(r);
    u32 x = r->offset;
    if (x - 5u <= 3u)
        return r->bytes[x];
    return XDP_PASS;
}

IDIOM(range_switch64)
{
    RECORD(r);
    u64 x = r->wide;
    if (x - 5u <= 3u)
        return r->bytes[x];
    return XDP_PASS;
}

IDIOM(range_neg)
{
    RECORD(r);
    s32 x = r->sign;
    if (x > -4 && x < 60)
        return r->bytes[x + 3];
    return XDP_PASS;
}

IDIOM(range_neg64)
{
    RECORD(r);
    s64 x = (s64)r->wide;
    if (x >= -8 && x < 8)
        return r->bytes[x + 8];
    return XDP_PASS;
}

IDIOM(ports)
{
    RECORD(r);
    u16 p = r->port;
    if ((u16)(p - 8000) < 60)
        return r->bytes[p - 8000];
    return XDP_PASS;
}

IDIOM(two_ranges)
{
    RECORD(r);
    u32 c = r->kind;
    if ((c - '0' < 10u) || (c - 'a' < 6u)) {
        u32 d = c <= '9' ? c - '0' : c - 'a' + 10;
        return r->words[d];
    }
    return XDP_PASS;
}

IDIOM(hex)
{
    RECORD(r);
    u8 c = r->kind;
    u32 d;
    if (c >= '0' && c <= '9')
        d = c - '0';
    else if (c >= 'a' && c <= 'f')
        d = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        d = c - 'A' + 10;
    else
        return XDP_PASS;
    return r->words[d];
}

IDIOM(neg_window)
{
    RECORD(r);
    s32 x = r->sign;
    u32 y = x + 30;
    if (y >= 60)
        return XDP_PASS;
    return r->bytes[y];
}

IDIOM(neg_window2)
{
    RECORD(r);
    s32 x = r->sign;
    if (x < -30 || x >= 30)
        return XDP_PASS;
    u32 y = x;
    y += 30;
    return r->bytes[y];
}

IDIOM(neg_window64)
{
    RECORD(r);
    s64 x = r->wide;
    if (x < -30 || x >= 30)
        return XDP_PASS;
    return r->bytes[x + 30];
}

IDIOM(outside)
{
    RECORD(r);
    u32 x = r->offset;
    if (x >= 20 && x < 4294967286u)
        return XDP_PASS;
    return r->bytes[x + 10];
}

IDIOM(outside64)
{
    RECORD(r);
    u64 x = r->wide;
    if (x >= 20 && x < -10ull)
        return XDP_PASS;
    return r->bytes[x + 10];
}

IDIOM(outside_s)
{
    RECORD(r);
    u32 x = r->offset;
    if (x - 20 < 4294967266u)
        return XDP_PASS;
    return r->bytes[x + 10];
}

IDIOM(seq)
{
    RECORD(r);
    u32 d = r->offset - r->length;
    if (d < 60)
        return r->bytes[d];
    return XDP_PASS;
}

IDIOM(seq_s)
{
    RECORD(r);
    s32 d = r->offset - r->length;
    if (d > 0 && d < 60)
        return r->bytes[d];
    return XDP_PASS;
}

IDIOM(clamp)
{
    RECORD(r);
    u32 x = r->offset;
    x = x < 10 ? 10 : x > 50 ? 50 : x;
    return r->bytes[x - 10];
}

IDIOM(sat_sub)
{
    RECORD(r);
    u32 x = r->offset;
    if (x > 59)
        x = 59;
    u32 y = x >= 5 ? x - 5 : 0;
    return r->bytes[y];
}

IDIOM(ring60)
{
    RECORD(r);
    u32 h = r->offset;
    if (h >= 60)
        return XDP_PASS;
    u32 p = h == 0 ? 59 : h - 1;
    return r->bytes[p];
}

IDIOM(ring60_add)
{
    RECORD(r);
    u32 h = r->offset, n = r->length;
    if (h >= 60 || n >= 60)
        return XDP_PASS;
    h += n;
    if (h >= 60)
        h -= 60;
    return r->bytes[h];
}

IDIOM(ring_sub)
{
    RECORD(r);
    u32 h = r->offset, n = r->length;
    if (h >= 60 || n >= 60)
        return XDP_PASS;
    s32 p = h - n;
    if (p < 0)
        p += 60;
    return r->bytes[p];
}

IDIOM(not)
{
    RECORD(r);
    u32 x = ~r->offset;
    if (x < 60)
        return r->bytes[x];
    return XDP_PASS;
}

IDIOM(rev)
{
    RECORD(r);
    u32 x = r->offset;
    if (x >= 60)
        return XDP_PASS;
    return r->bytes[59 - x];
}

IDIOM(rev_chk)
{
    RECORD(r);
    u32 x = 59 - r->offset;
    if (x >= 60)
        return XDP_PASS;
    return r->bytes[x] + r->bytes[r->offset];
}

IDIOM(xor)
{
    RECORD(r);
    u32 x = r->offset & 31;
    return r->bytes[x ^ 1] + r->bytes[x ^ 31];
}

IDIOM(scaled)
{
    RECORD(r);
    u32 x = r->offset - 7;
    if (x < 15)
        return r->words[x + 1];
    return XDP_PASS;
}

IDIOM(scaled2)
{
    RECORD(r);
    u32 x = r->offset;
    u32 y = x * 4;
    if (x - 1 < 15)
        return *(u32 *)((u8 *)r->words + y);
    return XDP_PASS;
}

IDIOM(bound_late)
{
    RECORD(r);
    u32 x = r->offset;
    u8 *p = r->bytes;
    HIDE(x);
    u32 y = x + 2;
    HIDE(y);
    if (y > 59 || y < 2)
        return XDP_PASS;
    return p[x];
}

IDIOM(copy_tail)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 60)
        return XDP_PASS;
    u32 k = n > 16 ? 16 : n;
    for (u32 i = 0; i < k; i++)
        r->out[i] = r->bytes[n - k + i];
    return XDP_PASS;
}

IDIOM(string_length)
{
    RECORD(r);
    u32 n = 0;
    while (n < 60 && r->bytes[n])
        n++;
    if (n == 60)
        return XDP_PASS;
    r->bytes[n] = 1;
    return n;
}

IDIOM(str_rev)
{
    RECORD(r);
    u32 n = 0;
    while (n < 60 && r->bytes[n])
        n++;
    if (n < 2)
        return XDP_PASS;
    return r->bytes[n - 1] + r->bytes[n - 2];
}

IDIOM(bits)
{
    RECORD(r);
    u32 x = r->offset;
    if (x >= 480)
        return XDP_PASS;
    return r->bytes[x / 8] >> (x % 8) & 1;
}

IDIOM(clz)
{
    RECORD(r);
    u32 x = r->offset, n = 0;
    if (x >= 65536) {
        n += 16;
        x >>= 16;
    }
    if (x >= 256) {
        n += 8;
        x >>= 8;
    }
    if (x >= 16) {
        n += 4;
        x >>= 4;
    }
    if (x >= 4) {
        n += 2;
        x >>= 2;
    }
    if (x >= 2)
        n += 1;
    return r->bytes[n];
}
