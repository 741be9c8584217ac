/* Places in a packet that are computed: headers of variable length, options, lengths from the packet. */
#include "idioms.h"

IDIOM(range_digit)
{
    PACKET;
    if (data + 1 > end)
        return XDP_PASS;
    RECORD(r);
    u8 c = data[0];
    if (c >= 'a' && c <= 'p')
        r->words[c - 'a']++;
    return XDP_PASS;
}

IDIOM(copy_packet)
{
    PACKET;
    RECORD(r);
    u32 n = 0;
    for (int i = 0; i < 64; i++) {
        if (data + i + 1 > end)
            break;
        r->bytes[i] = data[i];
        n++;
    }
    if (n > 0 && n <= 64)
        r->out[n - 1] = 0;
    return XDP_PASS;
}

IDIOM(ipv4_options)
{
    PACKET;
    if (data + 34 > end)
        return XDP_PASS;
    u32 ihl = (data[14] & 15) * 4;
    if (ihl < 20)
        return XDP_PASS;
    u8 *l4 = data + 14 + ihl;
    if (l4 + 8 > end)
        return XDP_PASS;
    return l4[0];
}

IDIOM(ipv4_options_b)
{
    PACKET;
    u8 *ip = data + 14;
    if (ip + 20 > end)
        return XDP_PASS;
    u32 len = (ip[0] & 15) << 2;
    u8 *tcp = ip + len;
    if (tcp + 20 > end)
        return XDP_PASS;
    u32 doff = (tcp[12] >> 4) * 4;
    if (doff < 20)
        return XDP_PASS;
    u8 *pl = tcp + doff;
    if (pl + 4 > end)
        return XDP_PASS;
    return pl[3];
}

IDIOM(tot_len)
{
    PACKET;
    if (data + 34 > end)
        return XDP_PASS;
    u32 tot = data[16] << 8 | data[17];
    u8 *e = data + 14 + tot;
    if (e > end)
        return XDP_PASS;
    if (tot < 20)
        return XDP_PASS;
    return e[-1];
}

IDIOM(tot_len_b)
{
    PACKET;
    u32 tot;
    if (data + 34 > end)
        return XDP_PASS;
    tot = data[16] << 8 | data[17];
    if (tot > 1500 || tot == 0)
        return XDP_PASS;
    if (data + 14 + tot > end)
        return XDP_PASS;
    return data[14 + tot - 1];
}

IDIOM(tlv)
{
    PACKET;
    u32 off = 14;
    u32 s = 0;
    for (int i = 0; i < 10; i++) {
        if (data + off + 2 > end)
            break;
        u8 l = data[off + 1];
        if (l < 2)
            break;
        s += data[off];
        off += l;
        if (off > 1000)
            break;
    }
    return s;
}

IDIOM(tlv_ptr)
{
    PACKET;
    u8 *p = data;
    u32 s = 0;
    for (int i = 0; i < 10; i++) {
        if (p + 2 > end)
            break;
        u8 l = p[1];
        s += p[0];
        if (p + 2 + l > end)
            break;
        p += 2 + l;
    }
    return s;
}

IDIOM(tlv_copy)
{
    PACKET;
    RECORD(r);
    u8 *p = data;
    if (p + 2 > end)
        return XDP_PASS;
    u32 l = p[1];
    if (l > 32)
        return XDP_PASS;
    if (p + 2 + l > end)
        return XDP_PASS;
    for (u32 i = 0; i < 32; i++) {
        if (i >= l)
            break;
        if (p + 2 + i + 1 > end)
            break;
        r->bytes[i] = p[2 + i];
    }
    return XDP_PASS;
}

IDIOM(pkt_range_len)
{
    PACKET;
    u64 len = end - data;
    if (len < 20)
        return XDP_PASS;
    return data[19];
}

IDIOM(pkt_len_min)
{
    PACKET;
    RECORD(r);
    u64 len = end - data;
    if (len > 64)
        len = 64;
    u32 i;
    for (i = 0; i < len; i++) {
        if (data + i + 1 > end)
            break;
        r->bytes[i] = data[i];
    }
    return XDP_PASS;
}

IDIOM(tcp_doff)
{
    PACKET;
    if (data + 54 > end)
        return XDP_PASS;
    u32 d = (data[46] >> 4) * 4;
    if (d < 20)
        return XDP_PASS;
    u8 *o = data + 34 + 20;
    u32 l = d - 20;
    u32 s = 0;
    for (int i = 0; i < 10; i++) {
        if (i * 4 >= l)
            break;
        if (o + i * 4 + 4 > end)
            break;
        s += *(u32 *)(o + i * 4);
    }
    return s;
}

IDIOM(ihl_words)
{
    PACKET;
    if (data + 34 > end)
        return XDP_PASS;
    u32 n = data[14] & 15;
    u32 s = 0;
    u16 *w = (u16 *)(data + 14);
    for (u32 i = 0; i < n * 2; i++) {
        if ((u8 *)(w + i + 1) > end)
            return 1;
        s += w[i];
    }
    return s;
}

IDIOM(ports_host)
{
    PACKET;
    if (data + 38 > end)
        return XDP_PASS;
    RECORD(r);
    u16 p = __builtin_bswap16(*(u16 *)(data + 36));
    if (p < 8000 || p >= 8060)
        return XDP_PASS;
    return r->bytes[p - 8000];
}

IDIOM(len_hdr)
{
    PACKET;
    RECORD(r);
    if (data + 4 > end)
        return XDP_PASS;
    u32 l = data[2] << 8 | data[3];
    if (l < 4 || l > 60)
        return XDP_PASS;
    l -= 4;
    for (u32 i = 0; i < 56; i++) {
        if (i >= l)
            break;
        if (data + 4 + i + 1 > end)
            break;
        r->bytes[i] = data[4 + i];
    }
    r->bytes[l] = 0;
    return XDP_PASS;
}
