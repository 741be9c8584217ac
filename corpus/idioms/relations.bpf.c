/* Numbers that are bounded through others: sums, copies, comparisons of two numbers, null checks of copies. */
#include "idioms.h"

IDIOM(two_cursors)
{
    RECORD(r);
    u32 i = 0, j = 0;
    for (int k = 0; k < 10; k++) {
        u8 c = r->bytes[i & 63];
        i++;
        if (c == 7) {
            if (j >= 63)
                break;
            r->out[j++] = c;
        }
        if (j < 60)
            r->out[j + 2] = 1;
    }
    return XDP_PASS;
}

IDIOM(lt_bounded)
{
    RECORD(r);
    u32 a = r->offset, b = r->length;
    if (b > 64)
        return XDP_PASS;
    if (a < b)
        return r->bytes[a];
    return XDP_PASS;
}

IDIOM(lt_bounded_late)
{
    RECORD(r);
    u64 a = r->wide, b = r->length;
    if (a >= b)
        return XDP_PASS;
    if (b > 64)
        return XDP_PASS;
    return r->bytes[a];
}

IDIOM(shifted_index)
{
    RECORD(r);
    u32 i = r->offset;
    if (i >= 60)
        return XDP_PASS;
    return r->bytes[i + 3];
}

IDIOM(check_after_add)
{
    RECORD(r);
    u32 i = r->offset;
    u32 j = i + 4;
    if (j >= 64)
        return XDP_PASS;
    if (j < 4)
        return XDP_PASS;
    return r->bytes[i];
}

IDIOM(check_after_add64)
{
    RECORD(r);
    u64 i = r->offset;
    u64 j = i + 4;
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[i];
}

IDIOM(check_after_add64b)
{
    RECORD(r);
    u64 i = r->wide;
    u64 j = i + 4;
    if (j >= 64 || j < 4)
        return XDP_PASS;
    return r->bytes[i];
}

IDIOM(off_len)
{
    RECORD(r);
    u32 off = r->offset, len = r->length;
    if (off > 64)
        return XDP_PASS;
    if (len > 64 - off)
        return XDP_PASS;
    if (len == 0)
        return XDP_PASS;
    return r->bytes[off + len - 1];
}

IDIOM(off_len_sum)
{
    RECORD(r);
    u32 off = r->offset, len = r->length;
    u32 e = off + len;
    if (e < off || e > 64)
        return XDP_PASS;
    if (off < 64)
        return r->bytes[off];
    return XDP_PASS;
}

IDIOM(off_len_sum2)
{
    RECORD(r);
    u32 off = r->offset, len = r->length;
    u32 e = off + len;
    if (e < off || e >= 64)
        return XDP_PASS;
    return r->bytes[off];
}

IDIOM(off_len_sum64)
{
    RECORD(r);
    u64 off = r->offset, len = r->length;
    u64 e = off + len;
    if (e >= 64)
        return XDP_PASS;
    return r->bytes[off];
}

IDIOM(switch_cases)
{
    RECORD(r);
    switch (r->kind) {
        case 3: case 4: case 5: case 6: return r->words[r->kind - 3];
        case 20: return 1;
        case 21: return XDP_PASS;
        default: return 0;
    }
}

IDIOM(switch_table)
{
    RECORD(r);
    u32 k = r->offset;
    u32 n;
    switch (k) {
        case 10: n = 3;
        break;
        case 11: n = 9;
        break;
        case 12: n = 1;
        break;
        case 13: n = 7;
        break;
        default: return XDP_PASS;
    }
    return r->bytes[n + k];
}

IDIOM(min_len)
{
    RECORD(r);
    u32 len = r->length;
    if (len > 64)
        len = 64;
    u32 s = 0;
    for (u32 i = 0; i < len; i++)
        s += r->bytes[i];
    return s;
}

IDIOM(last_byte)
{
    RECORD(r);
    u32 n = r->length;
    if (n == 0 || n > 64)
        return XDP_PASS;
    return r->bytes[n - 1];
}

IDIOM(last_byte64)
{
    RECORD(r);
    u64 n = r->wide;
    if (n == 0 || n > 64)
        return XDP_PASS;
    return r->bytes[n - 1];
}

IDIOM(last_word)
{
    RECORD(r);
    u32 n = r->length;
    if (n < 4 || n > 64)
        return XDP_PASS;
    return *(u32 *)&r->bytes[n - 4];
}

IDIOM(minus_one_check)
{
    RECORD(r);
    u32 n = r->length - 1;
    if (n > 63)
        return XDP_PASS;
    return r->bytes[n] + r->bytes[r->length - 1];
}

IDIOM(minus_one_use)
{
    RECORD(r);
    u32 n = r->length;
    if (n - 1 >= 64)
        return XDP_PASS;
    r->out[n - 1] = r->bytes[n & 63];
    if (n < 64)
        return r->bytes[n];
    return XDP_PASS;
}

IDIOM(minus_one_use64)
{
    RECORD(r);
    u64 n = r->wide;
    if (n - 1 >= 63)
        return XDP_PASS;
    r->out[n - 1] = 0;
    return r->bytes[n];
}

IDIOM(neighbours_b)
{
    RECORD(r);
    u32 i = r->offset;
    HIDE(i);
    u32 j = i + 1;
    HIDE(j);
    if (j >= 64 || j == 0)
        return XDP_PASS;
    return r->bytes[i] + r->bytes[j];
}

IDIOM(neighbours_b64)
{
    RECORD(r);
    u64 i = r->offset;
    HIDE(i);
    u64 j = i + 1;
    HIDE(j);
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[i] + r->bytes[j];
}

IDIOM(copy_check)
{
    RECORD(r);
    u64 i = r->wide;
    u64 j = i;
    HIDE(j);
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[i];
}

IDIOM(trunc_check)
{
    RECORD(r);
    u64 i = r->wide;
    u32 j = i;
    HIDE(j);
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[(u32)i];
}

IDIOM(trunc_check_mask)
{
    RECORD(r);
    u64 i = r->wide;
    u32 j = i;
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[i & 0xffffffff];
}

IDIOM(byte_check)
{
    RECORD(r);
    u64 i = r->wide;
    u8 j = i;
    if (j >= 64)
        return XDP_PASS;
    return r->bytes[j];
}

IDIOM(null_copy)
{
    u32 k = 0;
    struct record *v = map_lookup_elem(&records, &k), *w = v;
    HIDE(w);
    if (!v)
        return XDP_PASS;
    return w->kind;
}

IDIOM(null_copy_spill)
{
    u32 k = 0;
    struct record *v = map_lookup_elem(&records, &k);
    struct record *volatile s = v;
    u32 k2 = 1;
    u64 *w = map_lookup_elem(&records, &k2);
    if (!v)
        return XDP_PASS;
    if (!w)
        return XDP_PASS;
    struct record *t = s;
    return t->kind;
}

IDIOM(round_up)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 61)
        return XDP_PASS;
    u32 m = (n + 3) & ~3u;
    if (m == 0)
        return XDP_PASS;
    return r->bytes[m - 1];
}

IDIOM(ring)
{
    RECORD(r);
    u32 h = r->offset & 63;
    r->bytes[h] = 1;
    h = (h + 1) & 63;
    r->bytes[h] = 2;
    r->offset = h;
    return XDP_PASS;
}

IDIOM(ring_mod)
{
    RECORD(r);
    u32 h = r->offset;
    if (h >= 60)
        h = 0;
    r->bytes[h] = 1;
    h++;
    if (h == 60)
        h = 0;
    r->bytes[h] = 3;
    return XDP_PASS;
}

IDIOM(diff_idx)
{
    RECORD(r);
    u32 a = r->offset, b = r->length;
    if (a > 64 || b > 64)
        return XDP_PASS;
    if (a >= b)
        return XDP_PASS;
    return r->bytes[b - a - 1];
}

IDIOM(diff_idx2)
{
    RECORD(r);
    u32 a = r->offset, b = r->length;
    if (b > 63 || a > b)
        return XDP_PASS;
    return r->bytes[b - a];
}

IDIOM(sum_two)
{
    RECORD(r);
    u32 a = r->offset, b = r->length;
    if (a >= 32 || b >= 32)
        return XDP_PASS;
    return r->bytes[a + b];
}

IDIOM(helper_size)
{
    RECORD(r);
    u8 b[32];
    u32 n = r->length;
    if (n - 1 > 31)
        return XDP_PASS;
    probe_read_kernel(b, 32, r);
    probe_read_kernel(b, n, r);
    return b[0];
}

IDIOM(helper_size2)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 63)
        n = 63;
    probe_read_kernel(r->bytes, n + 1, r);
    return r->bytes[0];
}

IDIOM(helper_two)
{
    RECORD(r);
    u32 n = r->length & 31;
    probe_read_kernel(r->bytes, n, r);
    u32 m = r->offset & 31;
    if (n + m < 64)
        probe_read_kernel(r->bytes + n, m, r);
    return XDP_PASS;
}

IDIOM(helper_ret)
{
    RECORD(r);
    long n = probe_read_kernel(r->bytes, 8, r);
    if (n < 0 || n > 40)
        return XDP_PASS;
    return r->bytes[n] + r->bytes[n + 8];
}

IDIOM(append)
{
    RECORD(r);
    u32 o = 0;
    u32 l1 = r->length;
    if (l1 > 20)
        return XDP_PASS;
    probe_read_kernel(r->bytes + o, l1, r);
    o += l1;
    u32 l2 = r->offset;
    if (l2 > 20)
        return XDP_PASS;
    probe_read_kernel(r->bytes + o, l2, r);
    o += l2;
    if (o < 63)
        r->bytes[o] = 0;
    return XDP_PASS;
}

IDIOM(signed_min)
{
    RECORD(r);
    s32 a = r->sign;
    if (a < 0)
        a = 0;
    if (a > 63)
        a = 63;
    return r->bytes[a];
}

IDIOM(abs_val)
{
    RECORD(r);
    s32 a = r->sign;
    if (a < 0)
        a = -a;
    if (a > 63 || a < 0)
        return XDP_PASS;
    return r->bytes[a];
}

IDIOM(loop_down)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 64)
        return XDP_PASS;
    u32 s = 0;
    while (n > 0) {
        n--;
        s += r->bytes[n];
    }
    return s;
}

IDIOM(loop_pair)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 64)
        return XDP_PASS;
    u32 s = 0;
    for (u32 i = 0; i + 1 < n; i += 2)
        s += r->bytes[i] * r->bytes[i + 1];
    return s;
}

IDIOM(loop_rev)
{
    RECORD(r);
    u32 n = r->length;
    if (n > 64)
        return XDP_PASS;
    for (u32 i = 0; i < n; i++)
        r->out[n - 1 - i] = r->bytes[i];
    return XDP_PASS;
}

IDIOM(bsearch)
{
    RECORD(r);
    u32 lo = 0, hi = 16;
    for (int k = 0; k < 5; k++) {
        if (lo >= hi)
            break;
        u32 mid = (lo + hi) / 2;
        if (mid >= 16)
            break;
        if (r->words[mid] < r->offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < 16)
        return r->words[lo];
    return XDP_PASS;
}

IDIOM(hash_shift)
{
    RECORD(r);
    u32 h = r->offset * 2654435761u;
    return r->bytes[h >> 26];
}

IDIOM(hash_scale)
{
    RECORD(r);
    u64 h = r->offset;
    return r->bytes[(h * 60) >> 32];
}

IDIOM(ne_bound)
{
    RECORD(r);
    u32 i = r->offset & 63;
    if (i == 63)
        return XDP_PASS;
    return r->bytes[i + 1];
}

IDIOM(ne_zero)
{
    RECORD(r);
    u32 i = r->offset & 63;
    if (i == 0)
        return XDP_PASS;
    return r->bytes[i - 1];
}

IDIOM(eq_link)
{
    RECORD(r);
    u32 a = r->offset, b = r->length;
    if (a != b)
        return XDP_PASS;
    if (b >= 64)
        return XDP_PASS;
    return r->bytes[a];
}

IDIOM(eq_link64)
{
    RECORD(r);
    u64 a = r->wide, b = r->length;
    if (a != b)
        return XDP_PASS;
    if (b >= 64)
        return XDP_PASS;
    return r->bytes[a];
}

IDIOM(lt_link)
{
    RECORD(r);
    u64 a = r->wide, b = r->offset;
    if (a > b)
        return XDP_PASS;
    if (b >= 64)
        return XDP_PASS;
    return r->bytes[a];
}
