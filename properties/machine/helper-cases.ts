/** What the comparisons of helpers with the kernel share: programs that leave what they learnt in the map `out`, and what they run on. */
import { expect } from "vitest";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { ProgramType } from "../../src/semantics/program/program-types.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Pair } from "./pair.ts";

const OUT_SIZE = 256;
export const array = (name: string, valueSize: number, rest: Partial<MapDefinition> = {}): MapDefinition => ({
  name,
  type: "array",
  keySize: 4,
  valueSize,
  maxEntries: 1,
  flags: 0,
  ...rest,
});
const OUT = array("out", OUT_SIZE);

/** A frame whose payload is 0x45 (as an IPv4 header begins) and then counts up. */
export function frame(length: number, type = 0x88b5): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i < 14 ? i + 2 : i + 0x37));
  bytes.set([type >> 8, type & 0xff], 12);
  return bytes;
}

export function program(type: ProgramType, asm: string, maps: readonly MapDefinition[]): Program {
  const all = [OUT, ...maps];
  const prologue = "r6 = r1\nr9 = map_value[out]+0\nr1 = r6\n";
  const insns = assemble(prologue + asm, { maps: all });
  return { name: "helper", type, license: "GPL", flags: [], insns, maps: all, lines: [], functions: [] };
}

export function same(
  type: ProgramType,
  asm: string,
  maps: readonly MapDefinition[],
  environments: readonly Environment[],
): void {
  const pair = new Pair([program(type, asm, maps)]);
  try {
    for (const environment of environments) {
      const { machine, kernel: expected } = pair.run(0, environment);
      const contents = pair.contents();
      expect({ asm, ...machine, maps: contents.machine }).toEqual({
        asm,
        ...expected,
        maps: contents.kernel,
      });
    }
  } finally {
    pair.close();
  }
}

const PASS: Readonly<Partial<Record<ProgramType, string>>> = {
  xdp: "r0 = 2\nexit",
  cgroup_skb: "r0 = 1\nexit",
};
export const end = (type: ProgramType): string => PASS[type] ?? "r0 = 0\nexit";

/** An 8-byte constant, whatever its size. */
export const imm = (register: string, value: number | bigint): string => `${register} = ${value} ll\n`;

export const SKB_TYPES: readonly ProgramType[] = [
  "socket_filter",
  "sched_cls",
  "sched_act",
  "cgroup_skb",
  "lwt_in",
  "lwt_out",
  "lwt_xmit",
];

export const SKB_PACKETS: readonly Environment[] = [
  { packet: frame(14) },
  { packet: frame(64) },
  { packet: frame(64, 0x0800) },
  { packet: frame(80, 0x86dd) },
  { packet: frame(64, 0x0100) },
  { packet: frame(64).fill(0, 0, 6) },
  { packet: frame(64).fill(255, 0, 6) },
  { packet: frame(64).fill(1, 0, 6) },
  { packet: frame(64, 0x0100).fill(255, 14, 16) },
];

function skBuff(fields: Readonly<Record<number, number>>): Uint8Array {
  const bytes = new Uint8Array(192);
  for (const [offset, value] of Object.entries(fields))
    new DataView(bytes.buffer).setUint32(Number(offset), value, true);
  return bytes;
}

export const SKB_CONTEXTS: readonly Environment[] = [
  { packet: frame(64), context: new Uint8Array(192) },
  {
    packet: frame(64),
    context: skBuff({ 8: 5, 32: 6, 36: 1, 40: 1, 48: 7, 52: 8, 64: 9, 152: 10, 156: 11 }),
  },
  { packet: frame(64), context: skBuff({ 160: 1000, 164: 3, 176: 500, 184: 77 }) },
];
