/**
 * Results of operators that take long, by their operands: paths that come to the same instruction again often bring the same numbers.
 *
 * An operator is a function of its two operands and of nothing else, and what is remembered is used only where every bit of both is the same: so no result
 * changes. Of the operands that belong to one place of the table the last ones are remembered.
 */

import { constant, eq, or, variable, xor, zext } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import { instantiateOnAddresses, type Source } from "../../semantics/term/wasm.ts";
import { allocatePermanent, arena, copyBytes, memory } from "../arena.ts";
import { SCALAR_BYTES } from "./components.ts";

/** `out` := op(dst, src), of scalars at addresses; and whatever number it gives. */
export type Operator = (dst: number, src: number, out: number) => number;

/** A power of two. An entry is both operands, then the result. */
const ENTRIES = 512;
const ENTRY_BYTES = 3 * SCALAR_BYTES;
const TABLE = allocatePermanent(ENTRIES * ENTRY_BYTES);

/** Whose results the entries are: operators are numbered from 1 on, 0 is nobody. */
const owners = new Uint16Array(ENTRIES);
/** The numbers that they gave. */
const numbers = new Int32Array(ENTRIES);
let operators = 0;

/** 1 if the scalars at the first two addresses are, bit for bit, those in the entry at the third; else 0. */
const areInEntry = comparison();

function comparison(): Operator {
  const inputs: [Term, Source][] = [];
  const word = (name: string, pointer: number, offset: number): Term<64> => {
    const term = variable(`${name}${offset}`, 64);
    inputs.push([term, { kind: "memory", pointer, offset, bytes: 8 }]);
    return term;
  };
  let differences: Term<64> = constant(64, 0);
  for (let offset = 0; offset < SCALAR_BYTES; offset += 8) {
    const dst = xor(word("dst", 0, offset), word("entry", 2, offset));
    const src = xor(word("src", 1, offset), word("entry", 2, SCALAR_BYTES + offset));
    differences = or(differences, or(dst, src));
  }
  const result = zext(32, eq(differences, constant(64, 0)));
  const name = "remembered";
  const spec = { name, parameters: ["i32", "i32", "i32"], inputs, outputs: [], result } as const;
  const made = instantiateOnAddresses([spec], memory).get(name);
  if (made === undefined) throw new Error("the module exports the function");
  return made;
}

/** The same operator; it looks first whether it has been asked before. */
export function remembering(operator: Operator): Operator {
  operators += 1;
  const own = operators;
  return (dst, src, out) => {
    const index = placeOf(dst, src, own);
    const entry = TABLE + index * ENTRY_BYTES;
    if (owners[index] === own && areInEntry(dst, src, entry) === 1) {
      copyBytes(out, entry + 2 * SCALAR_BYTES, SCALAR_BYTES);
      return numbers[index] ?? 0;
    }
    copyBytes(entry, dst, SCALAR_BYTES);
    copyBytes(entry + SCALAR_BYTES, src, SCALAR_BYTES);
    // The operands may be gone when the result is there, and an operator that throws leaves nothing to be remembered.
    owners[index] = 0;
    const number = operator(dst, src, out);
    copyBytes(entry + 2 * SCALAR_BYTES, out, SCALAR_BYTES);
    numbers[index] = number;
    owners[index] = own;
    return number;
  };
}

/** Where the result belongs: by the low words of what is known of the bits, and of the least and the greatest number. */
function placeOf(dst: number, src: number, operator: number): number {
  const m = arena.i32;
  const d = dst >> 2;
  const s = src >> 2;
  let hash = Math.imul((m[d] ?? 0) ^ operator, 0x9e3779b1) ^ (m[d + 2] ?? 0);
  hash = Math.imul(hash, 0x85ebca6b) ^ (m[d + 4] ?? 0);
  hash = Math.imul(hash, 0xc2b2ae35) ^ (m[d + 6] ?? 0);
  hash = Math.imul(hash, 0x9e3779b1) ^ (m[s] ?? 0);
  hash = Math.imul(hash, 0x85ebca6b) ^ (m[s + 6] ?? 0);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return (hash >>> 16) & (ENTRIES - 1);
}
