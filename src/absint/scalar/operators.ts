/**
 * The abstract operators as WebAssembly over scalars in linear memory: the reading of the terms that the verifier runs.
 *
 * A scalar is a record of 64 bytes (`SCALAR_BYTES`), little-endian, at an 8-byte aligned address of the one memory here; operators take
 * addresses. Operands and results may overlap: everything is read before anything is written.
 */
import type { AluOp, JumpOp } from "../../semantics/isa/instruction.ts";
import { zext } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import {
  type FunctionSpec,
  instantiateOnAddresses,
  type OnAddresses,
  type SequenceSpec,
  type Sink,
  type Source,
} from "../../semantics/term/wasm.ts";
import { arena, memory } from "../arena.ts";
import { CONDITIONS, decideScalars, NEGATION, refineScalars } from "./branch.ts";
import { COMPONENTS, type Component, componentsOf, symbolic } from "./components.ts";
import { operate } from "./operations.ts";
import { includes, isEmpty, join, type Scalar } from "./product.ts";
import { synchronised } from "./rules.ts";
import { widen } from "./widen.ts";

/** Byte offsets of a scalar's components. */
export const LAYOUT = {
  value: 0,
  mask: 8,
  umin: 16,
  umax: 24,
  smin: 32,
  smax: 40,
  umin32: 48,
  umax32: 52,
  smin32: 56,
  smax32: 60,
} as const satisfies Record<Component, number>;

export const SCALAR_BYTES = 64;

const bytesOf = (component: Component): 4 | 8 => (LAYOUT[component] < 48 ? 8 : 4);

const inputsAt = (s: Scalar, pointer: number): [Term, Source][] => {
  const terms = componentsOf(s);
  return COMPONENTS.map((c) => [terms[c], { kind: "memory", pointer, offset: LAYOUT[c], bytes: bytesOf(c) }]);
};

const outputsAt = (s: Scalar, pointer: number): [Term, Sink][] => {
  const terms = componentsOf(s);
  return COMPONENTS.map((c) => [terms[c], { pointer, offset: LAYOUT[c], bytes: bytesOf(c) }]);
};

const A = symbolic("a");
const B = symbolic("b");

const binary = (name: string, result: Scalar): FunctionSpec => ({
  name,
  parameters: ["i32", "i32", "i32"],
  inputs: [...inputsAt(A, 0), ...inputsAt(B, 1)],
  outputs: outputsAt(result, 2),
});

const question = (name: string, answer: Term): FunctionSpec => ({
  name,
  parameters: ["i32", "i32"],
  inputs: [...inputsAt(A, 0), ...inputsAt(B, 1)],
  outputs: [],
  result: answer,
});

const ALU_OPS: readonly AluOp[] = [
  ...([
    "add",
    "sub",
    "mul",
    "div",
    "sdiv",
    "or",
    "and",
    "lsh",
    "rsh",
    "neg",
    "mod",
    "smod",
    "xor",
    "mov",
  ] as const),
  ...(["movsx8", "movsx16", "movsx32", "arsh"] as const),
  ...(["le16", "le32", "le64", "be16", "be32", "be64", "bswap16", "bswap32", "bswap64"] as const),
];

const WIDTHS = [32, 64] as const;

const OPERATORS: readonly FunctionSpec[] = [
  ...WIDTHS.flatMap((width) => ALU_OPS.map((op) => binary(`${op}${width}`, operate(op, width, A, B)))),
  ...WIDTHS.flatMap((width) =>
    CONDITIONS.map((c) => question(`decide_${c}${width}`, zext(32, decideScalars(c, width, A, B)))),
  ),
  ...WIDTHS.flatMap((width) =>
    CONDITIONS.map((c): FunctionSpec => {
      const [a, b] = refineScalars(c, width, A, B);
      return {
        name: `refine_${c}${width}`,
        parameters: ["i32", "i32"],
        inputs: [...inputsAt(A, 0), ...inputsAt(B, 1)],
        outputs: [...outputsAt(a, 0), ...outputsAt(b, 1)],
      };
    }),
  ),
  question("includes", zext(32, includes(A, B))),
  binary("join", join(A, B)),
  binary("widen", widen(A, B)),
  {
    name: "synchronise",
    parameters: ["i32"],
    inputs: inputsAt(A, 0),
    outputs: outputsAt(synchronised(A), 0),
    result: zext(32, isEmpty(synchronised(A))),
  },
];

/** An operation and the synchronisation of its result in one call from JavaScript, which costs as much as the operation. */
const tight = (operation: string): SequenceSpec => ({
  name: `tight_${operation}`,
  parameters: ["i32", "i32", "i32"],
  calls: [
    { name: operation, parameters: [0, 1, 2] },
    { name: "synchronise", parameters: [2] },
  ],
});

const compiled = instantiateOnAddresses(
  [...OPERATORS, ...WIDTHS.flatMap((width) => ALU_OPS.map((op) => tight(`${op}${width}`)))],
  memory,
);

function operator(name: string): OnAddresses {
  const found = compiled.get(name);
  if (found === undefined) throw new Error(`no abstract operator ${name}`);
  return found;
}

// --- What the rest of the abstract machine calls

/** What `make` gives for each of `keys`, at each width. Found without making a name: that takes longer than many an operator. */
function byWidth<K, V>(
  keys: readonly K[],
  make: (key: K, width: 32 | 64) => V,
): (key: K, width: 32 | 64) => V {
  const at = (width: 32 | 64): ReadonlyMap<K, V> => new Map(keys.map((key) => [key, make(key, width)]));
  const [at32, at64] = [at(32), at(64)];
  return (key, width) => {
    const found = (width === 32 ? at32 : at64).get(key);
    if (found === undefined) throw new Error(`no abstract operator ${String(key)}${width}`);
    return found;
  };
}

/** `out` := op(dst, src). */
type AluOperator = (dst: number, src: number, out: number) => void;

/** Not synchronised. */
export const aluOperator: (op: AluOp, width: 32 | 64) => AluOperator = byWidth(ALU_OPS, (op, width) =>
  operator(`${op}${width}`),
);
/** As `aluOperator`, and synchronised. */
export const tightAluOperator: typeof aluOperator = byWidth(ALU_OPS, (op, width) =>
  operator(`tight_${op}${width}`),
);

/** The two questions of a conditional jump. */
export interface BranchOperators {
  /** 0 if the jump is never taken, 1 if always, 2 if that depends. */
  readonly decide: (a: number, b: number) => number;
  /** Narrows both in place to where the jump is taken, or is not. Not synchronised; see `refine` in branch.ts. */
  readonly taken: (a: number, b: number) => void;
  readonly notTaken: (a: number, b: number) => void;
}

/** The questions of a jump's condition, whose negation need not be one of an instruction. */
export const branchOperators: (op: JumpOp, width: 32 | 64) => BranchOperators = byWidth(
  CONDITIONS,
  (c, width) => ({
    decide: operator(`decide_${c}${width}`),
    taken: operator(`refine_${c}${width}`),
    notTaken: operator(`refine_${NEGATION[c]}${width}`),
  }),
);

/** Tightens a scalar in place; 1 if it turns out to hold no value at all. */
export const synchronise: (at: number) => number = operator("synchronise");
/** 1 if every value of `inner` is one of `outer`. */
export const scalarIncludes: (outer: number, inner: number) => number = operator("includes");
export const joinScalars: (a: number, b: number, out: number) => number = operator("join");
/** An upper bound that makes chains end: see widen.ts. */
export const widenScalars: (older: number, newer: number, out: number) => number = operator("widen");

/** The scalar that holds just the number with these 32-bit halves. */
export function constantScalar(at: number, low: number, high: number): void {
  const m = arena.i32;
  const i = at >> 2;
  m[i] = low;
  m[i + 1] = high;
  m[i + 2] = 0;
  m[i + 3] = 0;
  for (let k = 4; k < 12; k += 2) {
    m[i + k] = low;
    m[i + k + 1] = high;
  }
  for (let k = 12; k < 16; k += 1) m[i + k] = low;
}

/** The scalar that may be any number of `bits` bits (1 … 64), zero-extended. */
export function unknownScalarAt(at: number, bits = 64): void {
  const m = arena.i32;
  const i = at >> 2;
  const low = bits >= 32 ? -1 : 2 ** bits - 1;
  const high = bits >= 64 ? -1 : bits > 32 ? 2 ** (bits - 32) - 1 : 0;
  m[i] = 0;
  m[i + 1] = 0;
  m[i + 2] = low;
  m[i + 3] = high;
  m[i + 4] = 0;
  m[i + 5] = 0;
  m[i + 6] = low;
  m[i + 7] = high;
  m[i + 8] = 0;
  m[i + 9] = bits === 64 ? 1 << 31 : 0;
  m[i + 10] = low;
  m[i + 11] = bits === 64 ? 0x7fffffff : high;
  m[i + 12] = 0;
  m[i + 13] = low;
  m[i + 14] = bits >= 32 ? 1 << 31 : 0;
  m[i + 15] = bits >= 32 ? 0x7fffffff : low;
}

/** Copies a scalar; the register around it stays. */
export function copyScalar(from: number, to: number): void {
  arena.u8.copyWithin(to, from, from + SCALAR_BYTES);
}
