/** The components of an abstract scalar by name, for whatever goes through all of them: code generation, proofs, tests. */
import { variable } from "../../semantics/term/build.ts";
import type { Term } from "../../semantics/term/node.ts";
import type { Scalar } from "./product.ts";

/** A scalar in memory: each component where `LAYOUT` (operators.ts) has it. */
export const SCALAR_BYTES = 64;

/** `value` and `mask` are the tnum. */
export const COMPONENTS = [
  "value",
  "mask",
  "umin",
  "umax",
  "smin",
  "smax",
  "umin32",
  "umax32",
  "smin32",
  "smax32",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** The scalar whose components are free variables, named `prefix.component`. */
export function symbolic(prefix: string): Scalar {
  const v64 = (name: Component): Term<64> => variable(`${prefix}.${name}`, 64);
  const v32 = (name: Component): Term<32> => variable(`${prefix}.${name}`, 32);
  return {
    tnum: { value: v64("value"), mask: v64("mask") },
    umin: v64("umin"),
    umax: v64("umax"),
    smin: v64("smin"),
    smax: v64("smax"),
    umin32: v32("umin32"),
    umax32: v32("umax32"),
    smin32: v32("smin32"),
    smax32: v32("smax32"),
  };
}

/** The term of each component. */
export const componentsOf = ({ tnum, ...bounds }: Scalar): Readonly<Record<Component, Term>> => ({
  value: tnum.value,
  mask: tnum.mask,
  umin: bounds.umin,
  umax: bounds.umax,
  smin: bounds.smin,
  smax: bounds.smax,
  umin32: bounds.umin32,
  umax32: bounds.umax32,
  smin32: bounds.smin32,
  smax32: bounds.smax32,
});
