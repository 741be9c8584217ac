/**
 * What registers and stacks hold along one path, as terms over what a run is given. Whatever is not followed is a new variable, which may be any number: so terms allow at least
 * what runs do, and what no values of the variables make true, no run does.
 */
import {
  add,
  and,
  concat,
  constant,
  extract,
  ite,
  TRUE,
  uge,
  ule,
  variable,
} from "../../semantics/term/build.ts";
import { evaluate } from "../../semantics/term/concrete.ts";
import { type Term, variablesOf } from "../../semantics/term/node.ts";

/** What a pointer points into. */
export interface Region {
  readonly kind: "stack" | "packet" | "memory" | "other";
  /** Bytes that may be accessed, from offset 0 on; of a stack, in front of it; absent where that is not known. */
  readonly size?: Term<64>;
  /** Where it begins. */
  readonly base: Term<64>;
}

export type Value =
  | { readonly kind: "number"; readonly term: Term<64> }
  /** `missing`: whether it is null instead. */
  | {
      readonly kind: "pointer";
      readonly region: Region;
      readonly offset: Term<64>;
      readonly missing?: Term<1>;
    }
  /** Not followed. */
  | { readonly kind: "unknown" };

export type Pointer = Extract<Value, { kind: "pointer" }>;

export const UNKNOWN: Value = { kind: "unknown" };
export const number = (term: Term<64>): Value => ({ kind: "number", term });
export const word = (value: number | bigint): Term<64> => constant(64, value);

/** The number that a term is whatever its variables are, as a signed one; undefined if it has variables. */
export function constantOf(term: Term<64>): bigint | undefined {
  return variablesOf([term]).length > 0 ? undefined : BigInt.asIntN(64, evaluate(term, new Map()));
}

/** A value as the machine's register has it: a pointer is an address. */
export function addressOf(value: Value): Term<64> | undefined {
  if (value.kind === "number") return value.term;
  if (value.kind === "unknown") return undefined;
  const address = add(value.region.base, value.offset);
  return value.missing === undefined ? address : ite(value.missing, word(0), address);
}

/** The variables of a path, and what is known of them from the start. */
export class Variables {
  readonly assumed: Term<1>[] = [];
  #count = 0;

  fresh<N extends number>(width: N, what = "any"): Term<N> {
    this.#count += 1;
    return variable(`${what} ${this.#count}`, width);
  }

  /** A new region: it is not at the ends of the address space, whose size leaves room for the offsets that verifiers allow. */
  region(kind: Region["kind"], size?: Term<64>): Region {
    const base = this.fresh(64, `address of ${kind}`);
    this.assumed.push(uge(base, word(2n ** 32n)), ule(base, word(2n ** 64n - 2n ** 32n)));
    return { kind, base, ...(size === undefined ? {} : { size }) };
  }

  conditions(): readonly Term<1>[] {
    return [TRUE, ...this.assumed];
  }
}

interface Part {
  readonly value: Value;
  /** Which of the value's bytes, and how many were stored. */
  readonly index: number;
  readonly size: number;
}

/** The bytes of one frame's stack, by offset from its end. */
export class Stack {
  readonly #parts = new Map<number, Part>();

  store(at: number, size: number, value: Value): void {
    this.forget(at, size);
    if (value.kind === "unknown" || (value.kind === "pointer" && size !== 8)) return;
    for (let index = 0; index < size; index += 1) this.#parts.set(at + index, { value, index, size });
  }

  /** What is there is not known any more; all of it by default. */
  forget(at = -512, size = 512): void {
    for (let index = 0; index < size; index += 1) this.#parts.delete(at + index);
  }

  /** What was stored there; undefined if it is not known. */
  load(at: number, size: number): Value | undefined {
    const first = this.#parts.get(at);
    if (first === undefined) return undefined;
    const { value } = first;
    if (value.kind === "pointer") {
      for (let index = 0; index < 8; index += 1) {
        const part = this.#parts.get(at + index);
        if (part?.value !== value || part.index !== index) return undefined;
      }
      return size === 8 ? value : undefined;
    }
    let whole: Term | undefined;
    for (let index = 0; index < size; index += 1) {
      const part = this.#parts.get(at + index);
      if (part?.value.kind !== "number") return undefined;
      const byte = extract(8, part.value.term, 8 * part.index);
      whole = whole === undefined ? byte : concat(whole.width + 8, byte, whole);
    }
    if (whole === undefined) return undefined;
    // One number as it was stored: the same bits, in a shorter term.
    const isWhole = first.index === 0 && value.kind === "number" && this.#isOf(value, at, size);
    return number(isWhole ? and(value.term, word(2n ** BigInt(8 * size) - 1n)) : concat64(whole));
  }

  #isOf(value: Value, at: number, size: number): boolean {
    for (let index = 0; index < size; index += 1) {
      const part = this.#parts.get(at + index);
      if (part?.value !== value || part.index !== index) return false;
    }
    return true;
  }
}

/** A number of up to 64 bits with zeros above. */
const concat64 = (term: Term): Term<64> =>
  term.width === 64
    ? concat(64, extract(32, term, 32), extract(32, term))
    : concat(64, constant(64 - term.width, 0), term);
