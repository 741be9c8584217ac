/**
 * Loads and stores (RFC 9669 sections 5.1 and 5.2), the forms of the 16-byte load (5.4) and legacy packet access (5.5). Values in
 * memory are little-endian.
 */
import { bswap, extract, sext } from "../term/build.ts";
import type { Term } from "../term/node.ts";
import type { Fields, Imm64Kind, Row, Size } from "./instruction.ts";
import { CLASS, fields, LOADED, SIZE_BITS, SIZE_SUFFIX, SIZES, SRC, widen } from "./row.ts";

/** Bits 5 to 7 of the opcode. */
const MODE = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, memsx: 0x80 } as const;

const groupOf = (size: Size): "base32" | "base64" => (size === 8 ? "base64" : "base32");

function loadRow(size: Size): Row {
  return {
    name: `ldx${SIZE_SUFFIX[size]}`,
    opcode: CLASS.ldx | MODE.mem | SIZE_BITS[size],
    fields: fields({ dst: "any", src: "any", off: "any" }),
    syntax: `{dst} = *(u${8 * size} *)({src} {offset})`,
    group: groupOf(size),
    version: 1,
    operation: { kind: "load", size, signed: false, result: widen(LOADED[size]) },
  };
}

function signedLoadRow(size: 1 | 2 | 4): Row {
  return {
    name: `ldxs${SIZE_SUFFIX[size]}`,
    opcode: CLASS.ldx | MODE.memsx | SIZE_BITS[size],
    fields: fields({ dst: "any", src: "any", off: "any" }),
    syntax: `{dst} = *(s${8 * size} *)({src} {offset})`,
    group: "base64",
    version: 4,
    operation: { kind: "load", size, signed: true, result: sext(64, LOADED[size]) },
  };
}

function storeRow(size: Size, operand: "imm" | "reg"): Row {
  const register = operand === "reg";
  return {
    name: `${register ? "stx" : "st"}${SIZE_SUFFIX[size]}`,
    opcode: (register ? CLASS.stx : CLASS.st) | MODE.mem | SIZE_BITS[size],
    fields: fields({ dst: "any", off: "any", ...(register ? { src: "any" } : { imm: "any" }) }),
    syntax: `*(u${8 * size} *)({dst} {offset}) = ${register ? "{src}" : size === 8 ? "{imm}" : "{bits}"}`,
    group: groupOf(size),
    version: register ? 1 : 4,
    operation: { kind: "store", size, operand, stored: extract(8 * size, SRC) },
  };
}

const PACKET_SIZES = [1, 2, 4] as const;

function packetResult(size: 1 | 2 | 4): Term<64> {
  return widen(bswap<number>(LOADED[size]));
}

function packetRow(mode: "abs" | "ind", size: 1 | 2 | 4): Row {
  const indirect = mode === "ind";
  return {
    name: `ld${mode}${SIZE_SUFFIX[size]}`,
    opcode: CLASS.ld | MODE[mode] | SIZE_BITS[size],
    fields: fields({ imm: "any", ...(indirect ? { src: "any" } : {}) }),
    syntax: `r0 = *(u${8 * size} *)skb[${indirect ? "{src} + {imm}" : "{imm}"}]`,
    group: "packet",
    version: 1,
    operation: { kind: "packet", mode, size, result: packetResult(size) },
  };
}

/** By `src_reg`; which of the two immediates are operands. */
const IMM64: readonly (readonly [Imm64Kind, syntax: string, used: Partial<Fields>])[] = [
  ["const", "{imm64}", { immHigh: "any" }],
  ["map_fd", "map[{map}]", {}],
  ["map_value", "map_value[{map}]{high}", { immHigh: "any" }],
  ["btf_id", "btf_id[{ksym}, {second}]", { immHigh: "any" }],
  ["func", "func {wide}", {}],
  ["map_idx", "map_idx[{imm}]", {}],
  ["map_idx_value", "map_idx_value[{imm}]{high}", { immHigh: "any" }],
];

function imm64Row([load, syntax, used]: (typeof IMM64)[number], src: number): Row {
  return {
    name: load === "const" ? "ld_imm64" : `ld_imm64_${load}`,
    opcode: CLASS.ld | MODE.imm | SIZE_BITS[8],
    fields: fields({ dst: "any", src, imm: "any", ...used }),
    syntax: `{dst} = ${syntax}`,
    group: "base64",
    version: 1,
    operation: { kind: "ld_imm64", load },
  };
}

export const MEMORY_ROWS: readonly Row[] = [
  ...SIZES.map(loadRow),
  ...PACKET_SIZES.map(signedLoadRow),
  ...SIZES.map((size) => storeRow(size, "imm")),
  ...SIZES.map((size) => storeRow(size, "reg")),
  ...IMM64.map(imm64Row),
  ...PACKET_SIZES.map((size) => packetRow("abs", size)),
  ...PACKET_SIZES.map((size) => packetRow("ind", size)),
];
