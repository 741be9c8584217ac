/**
 * Bob Jenkins's hash function of 2006 (lookup3, in the public domain), with which Linux places keys in hash tables and bloom filters and names stacks. Linux starts
 * it from a seed: chance, or 0 for maps with BPF_F_ZERO_SEED.
 */

const START = 0xdeadbeef;

const rotated = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** The hash of `bytes`, as an unsigned number of 32 bits. */
export function jenkins(bytes: Uint8Array, seed: number): number {
  let a = (START + bytes.length + seed) | 0;
  let b = a;
  let c = a;
  // A group of 12 bytes each, little-endian; the last one is padded with zeros, and mixed in another way.
  const word = (at: number): number =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) ^ rotated(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotated(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotated(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotated(b, 4);
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  a = (a + word(at)) | 0;
  b = (b + word(at + 4)) | 0;
  c = (c + word(at + 8)) | 0;
  c = (c ^ b) - rotated(b, 14);
  a = (a ^ c) - rotated(c, 11);
  b = (b ^ a) - rotated(a, 25);
  c = (c ^ b) - rotated(b, 16);
  a = (a ^ c) - rotated(c, 4);
  b = (b ^ a) - rotated(a, 14);
  c = (c ^ b) - rotated(b, 24);
  return c >>> 0;
}
