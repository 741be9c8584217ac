/**
 * The BTF of generated programs, which kernels ask for where functions are called back: three functions of two prototypes. The format is that of the kernel's
 * Documentation/bpf/btf.rst.
 */

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const KIND = { int: 1, pointer: 2, function: 12, prototype: 13 } as const;
const GLOBAL = 1;
const SIGNED = 1 << 24;

/** Ids of the functions' types. */
export const FUNCTION_TYPES = { main: 6, callee: 7, callback: 8 } as const;

const NAMES = ["", "int", "u64", "main", "callee", "callback", "ctx", "first", "second"] as const;

function nameOffset(name: (typeof NAMES)[number]): number {
  return NAMES.slice(0, NAMES.indexOf(name)).reduce((sum, { length }) => sum + length + 1, 0);
}

const type = (
  name: (typeof NAMES)[number],
  kind: number,
  extra: number,
  sizeOrType: number,
  ...more: readonly number[]
): readonly number[] => [nameOffset(name), (kind << 24) | extra, sizeOrType, ...more];

/** Types 1 to 8, each after what it refers to. */
const TYPES: readonly number[] = [
  ...type("int", KIND.int, 0, 4, SIGNED | 32),
  ...type("u64", KIND.int, 0, 8, 64),
  ...type("", KIND.pointer, 0, 0),
  // int (void *ctx), and int (u64 first, u64 second) with a pointer for the second where it is called back.
  ...type("", KIND.prototype, 1, 1, nameOffset("ctx"), 3),
  ...type("", KIND.prototype, 2, 1, nameOffset("first"), 2, nameOffset("second"), 2),
  ...type("main", KIND.function, GLOBAL, 4),
  ...type("callee", KIND.function, 0, 5),
  ...type("callback", KIND.function, 0, 5),
];

function build(): Uint8Array {
  const strings = new TextEncoder().encode(NAMES.map((name) => `${name}\0`).join(""));
  const words = [
    (1 << 16) | MAGIC,
    HEADER_BYTES,
    0,
    4 * TYPES.length,
    4 * TYPES.length,
    strings.length,
    ...TYPES,
  ];
  const bytes = new Uint8Array(4 * words.length + strings.length);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word >>> 0, true);
  bytes.set(strings, 4 * words.length);
  return bytes;
}

export const TYPES_OF_PROGRAMS: Uint8Array = build();
