/**
 * Netlink attributes, as the extensions nlattr and nlattr_nest find them (linux/netlink.h): each is a length (its own four bytes included) and a type, of 16 bits in the
 * machine's own order, then its value; the next one begins at a multiple of four.
 */

const HEADER = 4;
const ALIGNMENT = 4;
/** The upper two bits of a type are flags. */
const TYPE_MASK = 0x3fff;

/** Where the first attribute of the type begins among those from `start` to `end`; 0 if there is none. */
function find(view: DataView, start: number, end: number, type: number): number {
  for (let at = start; at + HEADER <= end; ) {
    const length = view.getUint16(at, true);
    if (length < HEADER || at + length > end) return 0;
    if ((view.getUint16(at + 2, true) & TYPE_MASK) === type) return at;
    at += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
  }
  return 0;
}

/**
 * The offset of the first attribute of type `x` from offset `a` on, or, if `nested`, inside of the attribute at `a`; 0 if there is none.
 *
 * @param data  the packet from its offset 0
 */
export function attributeOffset(data: Uint8Array, a: number, x: number, nested: boolean): number {
  const { length } = data;
  if (length < HEADER || a > length - HEADER) return 0;
  const view = new DataView(data.buffer, data.byteOffset, length);
  if (!nested) return find(view, a, length, x);
  const size = view.getUint16(a, true);
  return a + size > length ? 0 : find(view, a + HEADER, a + size, x);
}
