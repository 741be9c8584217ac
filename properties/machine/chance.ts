/** What calls by chance are made of: numbers, maps, and lines of programs. */
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Environment } from "../../src/vm/environment.ts";

/** Numbers by chance: the same for the same seed (splitmix32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 … `end` - 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    const a = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    const b = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    return ((b ^ (b >>> 15)) >>> 0) % end;
  }

  pick<T>(among: readonly [T, ...T[]]): T {
    return among[this.below(among.length)] ?? among[0];
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** 64 bits at a border of some type, or any. */
  word(): bigint {
    const near = BigInt(this.below(5)) - 2n;
    const borders = [0n, 1n << 7n, 1n << 8n, 1n << 15n, 1n << 31n, 1n << 32n, 1n << 63n, 10n ** 9n] as const;
    if (this.below(4) > 0)
      return BigInt.asUintN(64, this.pick(borders) * (this.below(3) === 0 ? -1n : 1n) + near);
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
  }
}

const OUT_SIZE = 256;
export const array = (name: string, data: Uint8Array, rest: Partial<MapDefinition> = {}): MapDefinition => ({
  name,
  type: "array",
  keySize: 4,
  valueSize: data.length,
  maxEntries: 1,
  flags: 0,
  data,
  ...rest,
});
const READ_ONLY = 1 << 7;
export const constant = (name: string, data: Uint8Array): MapDefinition =>
  array(name, data, { flags: READ_ONLY, frozen: true });
/** Filled, so that it shows which bytes were written. */
export const OUT = array("out", new Uint8Array(OUT_SIZE).fill(0xaa));

export const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
export const imm = (register: string, value: bigint | number): string =>
  `${register} = ${BigInt.asUintN(64, BigInt(value))} ll\n`;

export interface Made {
  readonly type?: ProgramType;
  /** r6 is the context, r9 points to `out`, of which the first 8 bytes get r0. */
  readonly asm: string;
  readonly maps?: readonly MapDefinition[];
  readonly environment?: Environment;
  readonly mayBeRefused?: true;
}
