/** Abstract scalars as the kernel's log prints them. */
import { COMPONENTS, type Component } from "./components.ts";

/** A number for each component, unsigned; 32-bit ones below 2^32. */
export type Numbers = Readonly<Record<Component, bigint>>;

const U64_MAX = 2n ** 64n - 1n;

/** The scalar of which nothing is known. */
export const TOP: Numbers = {
  value: 0n,
  mask: U64_MAX,
  umin: 0n,
  umax: U64_MAX,
  smin: 2n ** 63n,
  smax: 2n ** 63n - 1n,
  umin32: 0n,
  umax32: 2n ** 32n - 1n,
  smin32: 2n ** 31n,
  smax32: 2n ** 31n - 1n,
};

const hex = (x: bigint): string => `0x${x.toString(16)}`;
const unsignedText = (x: bigint): string => (x <= 0xffffn ? `${x}` : hex(x));

/** A number that is meant as a signed one: of 16 bits in decimal, others in hexadecimal. */
export function signedText(x: bigint, width: 32 | 64 = 64): string {
  const signed = BigInt.asIntN(width, x);
  return signed >= -0x8000n && signed <= 0x7fffn ? `${signed}` : hex(BigInt.asUintN(width, x));
}

/** A tnum: `(value; mask)` in hexadecimal, and a constant as the number it is. */
export const tnumText = ({ value, mask }: Pick<Numbers, "value" | "mask">): string =>
  mask === 0n ? signedText(value) : `(${hex(value)}; ${hex(mask)})`;

/** The order in which the kernel prints bounds. */
const BOUNDS = ["smin", "smax", "umin", "umax", "smin32", "smax32", "umin32", "umax32"] as const;

/** The bounds that say something, equal ones together: `smin=umin=1`, `umax=7`. */
function boundsText(numbers: Numbers): readonly string[] {
  const groups = new Map<string, { readonly names: string[]; readonly text: string }>();
  for (const name of BOUNDS.filter((bound) => numbers[bound] !== TOP[bound])) {
    const value = numbers[name];
    const text = name.startsWith("s")
      ? signedText(value, name.endsWith("32") ? 32 : 64)
      : unsignedText(value);
    // Least bounds stand with least ones, greatest with greatest; a small negative number counts as one of 64 bits.
    const key = `${name.includes("min")} ${text.startsWith("-") ? BigInt.asUintN(64, BigInt(text)) : value}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { names: [name], text });
    else group.names.push(name);
  }
  return [...groups.values()].map(({ names, text }) => `${names.join("=")}=${text}`);
}

/** What is known of a scalar that is no constant. */
export function factsText(numbers: Numbers): readonly string[] {
  const bits = numbers.mask === U64_MAX ? [] : [`var_off=${tnumText(numbers)}`];
  return [...boundsText(numbers), ...bits];
}

/** `scalar(umax=7,var_off=(0x0; 0x7))`, or a constant as the number it is. */
export const scalarText = (numbers: Numbers): string =>
  numbers.mask === 0n && numbers.umin === numbers.umax
    ? tnumText(numbers)
    : `scalar(${factsText(numbers).join(",")})`;

/** A number for each component. */
export function numbersOf(numberOf: (component: Component) => bigint): Numbers {
  const entries = COMPONENTS.map((component) => [component, numberOf(component)] as const);
  return { ...TOP, ...Object.fromEntries(entries) };
}
