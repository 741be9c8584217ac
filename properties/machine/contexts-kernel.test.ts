/**
 * Claim: programs of the types beside those on packets that BPF_PROG_TEST_RUN knows see in the machine the context that they see in the running kernel, and the same comes back.
 * Skipped with the reason where bpf(2) cannot be used.
 */
import { describe, expect, it } from "vitest";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { createMap } from "../../src/oracle/linux/maps.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { InputError } from "../../src/semantics/errors.ts";
import { assemble } from "../../src/semantics/isa/assemble.ts";
import type { MapDefinition } from "../../src/semantics/program/map-types.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import type { Environment } from "../../src/vm/environment.ts";
import { Machine } from "../../src/vm/machine.ts";
import { Chance } from "./chance.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

const OUT: MapDefinition = {
  name: "out",
  type: "array",
  keySize: 4,
  valueSize: 512,
  maxEntries: 1,
  flags: 0,
};
const KEY = new Uint8Array(4);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

function program(kind: Pick<Program, "type" | "attach" | "flags">, asm: string): Program {
  const insns = assemble(`r6 = r1\nr9 = map_value[out]+0\n${asm}`, { maps: [OUT] });
  return { name: "context", license: "GPL", insns, maps: [OUT], lines: [], functions: [], ...kind };
}

/** What a run leaves, on either side; refused input is "refused". */
interface Left {
  readonly retval: number | "refused";
  readonly out: string;
  readonly packet: string;
  readonly context: string;
}

function onMachine(tested: Program, environment: Environment): Left {
  const machine = new Machine(tested);
  try {
    const ended = machine.run(environment);
    if (ended.outcome === "fault") throw new Error(ended.fault.message);
    const map = machine.map("out");
    const out = map.kind === "values" ? map.find(KEY, 0)?.bytes : undefined;
    const retval = Number(BigInt.asUintN(32, ended.r0));
    return { retval, out: hex(out), packet: hex(ended.packet), context: hex(ended.context) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { retval: "refused", out: hex(new Uint8Array(OUT.valueSize)), packet: "", context: "" };
  }
}

/** `context`: whether the kernel gives it back where it took it, gives it back apart, or does not give it back. */
function onKernel(tested: Program, environment: Environment, context: "in place" | "apart" | "none"): Left {
  const map = createMap(OUT);
  const loaded = loadProgram(tested, { maps: [map] });
  try {
    if (loaded.verdict === "reject") throw new Error(loaded.log);
    const given = environment.context?.slice();
    const ended = testRun(loaded.fd, {
      ...(environment.packet === undefined ? {} : { packet: environment.packet }),
      ...(given === undefined ? {} : { context: given }),
      contextBack: context === "apart",
    });
    const out = hex(map.lookup(KEY));
    if (!ended.ran) return { retval: "refused", out, packet: "", context: "" };
    const back = { "in place": given, apart: ended.context, none: undefined }[context];
    return { retval: ended.retval, out, packet: hex(ended.packet), context: hex(back) };
  } finally {
    if (loaded.verdict === "accept") loaded.close();
    map.close();
  }
}

const copies = (fields: readonly (readonly [offset: number, size: number])[], from: string): string =>
  fields
    .map(([at, size], i) => `r2 = *(u${8 * size} *)(${from} +${at})\n*(u64 *)(r9 +${8 * i}) = r2\n`)
    .join("");

describe.skipIf(!kernel.ok)("contexts of test runs", () => {
  it("raw tracepoints: the arguments", () => {
    const chance = new Chance(1);
    const tested = program(
      { type: "raw_tracepoint", flags: [] },
      `${copies(
        [
          [0, 8],
          [8, 4],
          [13, 1],
          [16, 8],
          [22, 2],
          [24, 8],
        ],
        "r6",
      )}r0 = r2\nexit`,
    );
    for (const size of [32, 40, 96]) {
      const context = chance.bytes(size);
      const { context: _, ...machine } = onMachine(tested, { context });
      const { context: __, ...expected } = onKernel(tested, { context }, "none");
      expect(machine).toEqual(expected);
    }
  });

  it("system calls: bytes that come back", () => {
    const chance = new Chance(2);
    const asm = `${copies(
      [
        [0, 8],
        [8, 4],
        [23, 1],
        [16, 8],
      ],
      "r6",
    )}*(u32 *)(r6 +4) = 77\n*(u8 *)(r6 +21) = 1\nr2 = *(u64 *)(r6 +16)\n*(u64 *)(r6 +8) = r2\nr0 = -3\nexit`;
    const tested = program({ type: "syscall", flags: ["sleepable"] }, asm);
    for (const size of [24, 25, 100]) {
      const context = chance.bytes(size);
      expect(onMachine(tested, { context })).toEqual(onKernel(tested, { context }, "in place"));
    }
  });

  it("flow dissectors: the packet, and the keys that come back", () => {
    const chance = new Chance(3);
    const keys = copies(
      [
        [0, 8],
        [8, 8],
        [16, 8],
        [24, 8],
        [32, 8],
        [40, 8],
        [48, 8],
        [5, 1],
        [9, 1],
      ],
      "r7",
    );
    const bounds = `r2 = *(u32 *)(r6 +76)\nr3 = *(u32 *)(r6 +80)\nr4 = r3\nr4 -= r2\n*(u64 *)(r9 +100) = r4\nr4 = r2\nr4 += 14\nif r4 > r3 goto short\nr4 = *(u64 *)(r2 +6)\n*(u64 *)(r9 +108) = r4\nshort:\n`;
    const helper = `r1 = r6\nr2 = 0\nr3 = r9\nr3 += 120\n*(u64 *)(r9 +120) = -1\nr4 = 8\ncall bpf_skb_load_bytes\n*(u64 *)(r9 +132) = r0\n`;
    for (const length of [13, 14, 20, 64, 200]) {
      for (const flags of [0, 1, 7]) {
        const nhoff = chance.below(300);
        const thoff = chance.below(300);
        const asm = `r7 = *(u64 *)(r6 +144)\n${keys}${bounds.replaceAll("+100", "+104").replaceAll("+108", "+112")}${helper.replaceAll("+132", "+136")}*(u16 *)(r7 +0) = ${nhoff}\n*(u16 *)(r7 +2) = ${thoff}\n*(u32 *)(r7 +52) = ${chance.below(1000)}\nr0 = ${chance.below(3)}\nexit`;
        const tested = program({ type: "flow_dissector", attach: "flow_dissector", flags: [] }, asm);
        const context = new Uint8Array(56);
        context[48] = flags;
        const environment = { packet: chance.bytes(length), context };
        expect(onMachine(tested, environment)).toEqual(onKernel(tested, environment, "none"));
      }
    }
  });

  it("socket look-ups: addresses of their family", () => {
    const chance = new Chance(4);
    const words = [8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64].map((at) => [at, 4] as const);
    const narrow = [
      [8, 1],
      [18, 2],
      [23, 1],
      [36, 2],
      [37, 1],
      [38, 2],
      [39, 1],
      [42, 2],
      [60, 2],
    ] as const;
    const socket = "r2 = *(u64 *)(r6 +0)\nif r2 == 0 goto none\n*(u64 *)(r9 +400) = 1\nnone:\nr0 = 1\nexit";
    const tested = program(
      { type: "sk_lookup", attach: "sk_lookup", flags: [] },
      copies([...words, ...narrow], "r6") + socket,
    );
    for (let i = 0; i < 40; i += 1) {
      const context = chance.bytes(72);
      const view = new DataView(context.buffer);
      view.setBigUint64(0, chance.below(8) === 0 ? 1n : 0n, true);
      view.setUint32(8, chance.pick([2, 10, 2, 10, 2, 10, 3]), true);
      view.setUint32(60, chance.pick([80, 0, 0xffff, 8080, 0x10000]), true);
      context.fill(0, 64, chance.below(8) === 0 ? 68 : 72);
      expect(onMachine(tested, { context })).toEqual(onKernel(tested, { context }, "apart"));
    }
  });
});
