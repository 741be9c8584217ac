/**
 * A scalar as bytes: its components in an order in which those before tell most of those after. A first number has a bit for each component
 * that is not what is expected of it; these follow, in order.
 */
import { arena } from "../../absint/arena.ts";
import { COMPONENTS, type Component } from "../../absint/scalar/components.ts";
import { LAYOUT } from "../../absint/scalar/operators.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** The components as numbers in [0, 2^width), signed ones too. */
export type Scalar = Readonly<Record<Component, bigint>>;

const ORDER = [
  "umin",
  "umax",
  "smin",
  "smax",
  "mask",
  "value",
  "umin32",
  "umax32",
  "smin32",
  "smax32",
] as const satisfies readonly Component[];

const is32 = (component: Component): boolean => LAYOUT[component] >= LAYOUT.umin32;

const MAX64 = (1n << 64n) - 1n;
const MAX32 = (1n << 32n) - 1n;

type Known = Partial<Record<Component, bigint>>;

/** The least and greatest signed number where the unsigned ones go from `least` to `greatest`. */
function signedEnds(least: bigint, greatest: bigint, width: 32 | 64): readonly [bigint, bigint] {
  const sign = 1n << BigInt(width - 1);
  return least < sign && greatest >= sign ? [sign, sign - 1n] : [least, greatest];
}

/** Bits that differ somewhere between two numbers. */
function varying(least: bigint, greatest: bigint): bigint {
  const length = (least ^ greatest) === 0n ? 0 : (least ^ greatest).toString(2).length;
  return (1n << BigInt(length)) - 1n;
}

/** What a component is expected to be, from those before it. */
function expected(component: Component, known: Known): bigint {
  const of = (name: Component): bigint => known[name] ?? 0n;
  const low = (x: bigint): bigint => x & MAX32;
  const sameHigh = of("umin") >> 32n === of("umax") >> 32n;
  switch (component) {
    case "umin":
      return 0n;
    case "umax":
      return of("umin") === 0n ? MAX64 : of("umin");
    case "smin":
      return signedEnds(of("umin"), of("umax"), 64)[0];
    case "smax":
      return signedEnds(of("umin"), of("umax"), 64)[1];
    case "mask":
      return varying(of("umin"), of("umax"));
    case "value":
      return of("umin") & ~of("mask") & MAX64;
    case "umin32":
      return sameHigh ? low(of("umin")) : low(of("value"));
    case "umax32":
      return sameHigh ? low(of("umax")) : low(of("value") | of("mask"));
    case "smin32":
      return signedEnds(of("umin32"), of("umax32"), 32)[0];
    case "smax32":
      return signedEnds(of("umin32"), of("umax32"), 32)[1];
  }
}

export function readScalar(at: number): Scalar {
  const component = (c: Component): bigint =>
    is32(c)
      ? BigInt((arena.i32[(at + LAYOUT[c]) >> 2] ?? 0) >>> 0)
      : (arena.u64[(at + LAYOUT[c]) >> 3] ?? 0n);
  return {
    value: component("value"),
    mask: component("mask"),
    umin: component("umin"),
    umax: component("umax"),
    smin: component("smin"),
    smax: component("smax"),
    umin32: component("umin32"),
    umax32: component("umax32"),
    smin32: component("smin32"),
    smax32: component("smax32"),
  };
}

export function writeScalar(at: number, scalar: Scalar): void {
  for (const c of COMPONENTS) {
    if (is32(c)) arena.i32[(at + LAYOUT[c]) >> 2] = Number(BigInt.asIntN(32, scalar[c]));
    else arena.u64[(at + LAYOUT[c]) >> 3] = BigInt.asUintN(64, scalar[c]);
  }
}

export function encodeScalar(out: ByteWriter, scalar: Scalar): void {
  let differs = 0;
  ORDER.forEach((c, i) => {
    if (scalar[c] !== expected(c, scalar)) differs |= 1 << i;
  });
  out.varint(differs);
  ORDER.forEach((c, i) => {
    if ((differs & (1 << i)) !== 0) out.wide(is32(c) ? BigInt.asIntN(32, scalar[c]) : scalar[c]);
  });
}

export function decodeScalar(from: ByteReader): Scalar {
  const known: Record<Component, bigint> = {
    value: 0n,
    mask: 0n,
    umin: 0n,
    umax: 0n,
    smin: 0n,
    smax: 0n,
    umin32: 0n,
    umax32: 0n,
    smin32: 0n,
    smax32: 0n,
  };
  const differs = from.varint("a scalar's components", (1 << ORDER.length) - 1);
  ORDER.forEach((c, i) => {
    if ((differs & (1 << i)) === 0) {
      known[c] = expected(c, known);
      return;
    }
    const start = from.offset;
    const value = from.wide(c);
    if (is32(c) && BigInt.asIntN(32, value) !== BigInt.asIntN(64, value))
      from.fail(`${c} has more than 32 bits`, start);
    known[c] = is32(c) ? BigInt.asUintN(32, value) : value;
  });
  return known;
}
