/**
 * Internet checksums (RFC 1071), computed in the order in which Linux computes them: one's complement has two zeros, and which
 * of them comes out depends on the order. All values are unsigned 32-bit numbers; sums are over words as they lie in memory.
 */

/** One's complement addition: the carry comes around. */
function csumAdd(a: number, b: number): number {
  const sum = a + b;
  return (sum >= 2 ** 32 ? sum + 1 : sum) >>> 0;
}

export const csumSub = (a: number, b: number): number => csumAdd(a, ~b >>> 0);

/** The sum folded into 16 bits. */
export function csumTo16(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return ((once & 0xffff) + (once >>> 16)) & 0xffff;
}

/** What is written into a header: the complement of the folded sum. */
const csumFold = (sum: number): number => ~csumTo16(sum) & 0xffff;

/** The sum of `bytes` as little-endian 32-bit words (a last one that is short has zeros behind it), added to `start`. */
export function csumPartial(bytes: Uint8Array, start: number): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(i, i + 4);
    sum = csumAdd(sum, (a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
  }
  return sum;
}

/** The checksum field `old` after a 32-bit word of what it covers changed. */
export function csumReplace4(old: number, from: number, to: number): number {
  const without = csumSub(~old >>> 0, from);
  return csumFold(csumAdd(without, to));
}

/** The same for a 16-bit word. */
export function csumReplace2(old: number, from: number, to: number): number {
  const without = csum16Add(~old & 0xffff, ~from & 0xffff);
  return ~csum16Add(without, to) & 0xffff;
}

function csum16Add(a: number, b: number): number {
  const sum = a + b;
  return (sum + (sum >>> 16)) & 0xffff;
}

/** The same for a difference that csum_diff computed. */
export function csumReplaceByDiff(old: number, difference: number): number {
  return csumFold(csumAdd(difference, ~old >>> 0));
}
