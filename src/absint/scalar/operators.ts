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
  type Sink,
  type Source,
} from "../../semantics/term/wasm.ts";
import { arena, copyBytes, memory } from "../arena.ts";
import { type Condition, decideScalars, NEGATION, refineScalars } from "./branch.ts";
import { COMPONENTS, type Component, componentsOf, SCALAR_BYTES, symbolic } from "./components.ts";
import { onConstants, WITH_SHORT_WAY } from "./constants.ts";
import { operate } from "./operations.ts";
import { includes, isEmpty, join, type Scalar } from "./product.ts";
import { remembering } from "./remembered.ts";
import { synchronised } from "./rules.ts";
import { widen } from "./widen.ts";

export { SCALAR_BYTES };

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

const common = instantiateOnAddresses(
  [
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
  ],
  memory,
);

function functionIn(functions: ReadonlyMap<string, OnAddresses>, name: string): OnAddresses {
  const found = functions.get(name);
  if (found === undefined) throw new Error(`no abstract operator ${name}`);
  return found;
}

// --- What the rest of the abstract machine calls

const tightened = remembering(functionIn(common, "synchronise"));
/** Tightens a scalar in place; 1 if it turns out to hold no value at all. */
export const synchronise = (at: number): number => tightened(at, at, at);
/** 1 if every value of `inner` is one of `outer`. */
export const scalarIncludes: (outer: number, inner: number) => number = functionIn(common, "includes");
export const joinScalars: (a: number, b: number, out: number) => number = functionIn(common, "join");
/** An upper bound that makes chains end: see widen.ts. */
export const widenScalars: (older: number, newer: number, out: number) => number = functionIn(
  common,
  "widen",
);

/**
 * What `make` gives for a key and a width, made when it is first asked for: a program uses few of the operators, and making all takes longer
 * than verifying most programs. Keys are not joined to names, which would take longer than many an operator.
 */
function onDemand<K, V>(make: (key: K, width: 32 | 64) => V): (key: K, width: 32 | 64) => V {
  const [at32, at64] = [new Map<K, V>(), new Map<K, V>()];
  return (key, width) => {
    const made = width === 32 ? at32 : at64;
    let found = made.get(key);
    if (found === undefined) {
      found = make(key, width);
      made.set(key, found);
    }
    return found;
  };
}

/** `out` := op(dst, src). */
type AluOperator = (dst: number, src: number, out: number) => void;

function single(spec: FunctionSpec): OnAddresses {
  return functionIn(instantiateOnAddresses([spec], memory), spec.name);
}

/** Not synchronised. */
export const aluOperator: (op: AluOp, width: 32 | 64) => AluOperator = onDemand((op, width) =>
  single(binary("loose", operate(op, width, A, B))),
);

const isConstantAt = (at: number): boolean => {
  const i = (at + LAYOUT.mask) >> 2;
  return arena.i32[i] === 0 && arena.i32[i + 1] === 0;
};

const WITH_A_SHORT_WAY: ReadonlySet<AluOp> = new Set(WITH_SHORT_WAY);

/** Operations that take so much longer than a look at what is remembered that this pays, be it for one time in a few. */
const REMEMBERED: ReadonlySet<AluOp> = new Set([...WITH_SHORT_WAY, "and", "or", "xor"]);

const general: (op: AluOp, width: 32 | 64) => AluOperator = onDemand((op, width) => {
  const operator = single(binary("tight", synchronised(operate(op, width, A, B))));
  return REMEMBERED.has(op) ? remembering(operator) : operator;
});

/**
 * As `aluOperator`, and synchronised; one function, since a call costs as much as an addition. Constants take the short way where that costs less:
 * no operator is made before there is something for it to do.
 */
export const tightAluOperator: (op: AluOp, width: 32 | 64) => AluOperator = onDemand((op, width) => {
  if (!WITH_A_SHORT_WAY.has(op)) return general(op, width);
  const short = single(binary("constants", onConstants(op, width, A, B)));
  let made: AluOperator | undefined;
  return (dst, src, out) => {
    if (isConstantAt(dst) && isConstantAt(src)) short(dst, src, out);
    else {
      made ??= general(op, width);
      made(dst, src, out);
    }
  };
});

/** The two questions of a conditional jump. */
export interface BranchOperators {
  /** 0 if the jump is never taken, 1 if always, 2 if that depends. */
  readonly decide: (a: number, b: number) => number;
  /** Narrows both in place to where the jump is taken, or is not. Not synchronised; see `refine` in branch.ts. */
  readonly taken: (a: number, b: number) => void;
  readonly notTaken: (a: number, b: number) => void;
}

const refinement = (condition: Condition, width: 32 | 64): FunctionSpec => {
  const [a, b] = refineScalars(condition, width, A, B);
  return {
    name: condition,
    parameters: ["i32", "i32"],
    inputs: [...inputsAt(A, 0), ...inputsAt(B, 1)],
    outputs: [...outputsAt(a, 0), ...outputsAt(b, 1)],
  };
};

export const branchOperators: (op: JumpOp, width: 32 | 64) => BranchOperators = onDemand((op, width) => {
  const functions = instantiateOnAddresses(
    [
      question("decide", zext(32, decideScalars(op, width, A, B))),
      refinement(op, width),
      refinement(NEGATION[op], width),
    ],
    memory,
  );
  return {
    decide: functionIn(functions, "decide"),
    taken: functionIn(functions, op),
    notTaken: functionIn(functions, NEGATION[op]),
  };
});

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
  copyBytes(to, from, SCALAR_BYTES);
}
