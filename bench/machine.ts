/**
 * How fast the machine interprets, beside the kernel's own run of the same programs (JIT-compiled there) where bpf(2) can be used: instructions
 * a second, and the cost of a whole run on a small packet. `node bench/run.mjs machine`
 */
import { readFileSync } from "node:fs";
import { readPrograms } from "../src/object/read.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { loadProgram } from "../src/oracle/linux/load.ts";
import { testRun } from "../src/oracle/linux/test-run.ts";
import { assemble } from "../src/semantics/isa/assemble.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { Machine } from "../src/vm/machine.ts";

interface Case {
  readonly name: string;
  readonly program: Program;
  readonly packet: Uint8Array;
  /** How often the kernel repeats the run. */
  readonly repeat: number;
}

function assembled(name: string, asm: string): Program {
  const insns = assemble(asm);
  return { name, type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [], functions: [] };
}

/** As many rounds as the kernel's verifier walks through within its limit of a million instructions. */
const ROUNDS = 100_000;

const ALU = assembled(
  "alu",
  `r0 = 1
   r1 = ${ROUNDS}
 again:
   r0 *= 33
   r0 ^= r1
   r0 += 7
   r1 -= 1
   if r1 != 0 goto again
   r0 = 2
   exit`,
);

/** Copies the packet's first half over its second, byte by byte. */
const COPY = assembled(
  "copy",
  `r2 = *(u32 *)(r1 +0)
   r3 = *(u32 *)(r1 +4)
   r4 = r2
   r4 += 1500
   if r4 > r3 goto out
   r5 = 0
 again:
   r6 = r2
   r6 += r5
   r7 = *(u8 *)(r6 +0)
   *(u8 *)(r6 +750) = r7
   r5 += 1
   if r5 < 750 goto again
 out:
   r0 = 2
   exit`,
);

const STACK = assembled(
  "stack",
  `r1 = ${ROUNDS}
   r2 = 0
   *(u64 *)(r10 -8) = r2
 again:
   r2 = *(u64 *)(r10 -8)
   r2 += 3
   *(u64 *)(r10 -8) = r2
   r1 -= 1
   if r1 != 0 goto again
   r0 = 2
   exit`,
);

const OBJECT = new URL("../corpus/objects/xdp_load_balancer.v4.o", import.meta.url);

function udpPacket(): Uint8Array {
  const packet = new Uint8Array(64);
  packet.set(
    Buffer.from("0200000000010200000000020800450000320000000040110000c0a80001c0a8000203e807d0001e", "hex"),
  );
  return packet;
}

function corpusProgram(): Program {
  const [program] = readPrograms("xdp_load_balancer.v4.o", readFileSync(OBJECT)).programs;
  if (program === undefined) throw new Error("the object has no program");
  return program;
}

const CASES: readonly Case[] = [
  { name: "ALU loop", program: ALU, packet: new Uint8Array(64), repeat: 20 },
  { name: "byte copy, 750 bytes", program: COPY, packet: new Uint8Array(1514), repeat: 2000 },
  { name: "load and store on the stack", program: STACK, packet: new Uint8Array(64), repeat: 20 },
  {
    name: "return alone",
    program: assembled("return", "r0 = 2\nexit"),
    packet: new Uint8Array(64),
    repeat: 100_000,
  },
  { name: "corpus: xdp_load_balancer", program: corpusProgram(), packet: udpPacket(), repeat: 100_000 },
];

const WARM_UP_MS = 300;
const MEASURE_MS = 1000;

/** Runs for about `ms`; nanoseconds a run, and instructions in one. */
function machineRuns({ program, packet }: Case): { readonly ns: number; readonly steps: number } {
  const machine = new Machine(program, { budget: 1e9 });
  const forAWhile = (ms: number): { ns: number; steps: number } => {
    let runs = 0;
    let steps = 0;
    const start = performance.now();
    let elapsed = 0;
    while (elapsed < ms) {
      const ended = machine.run({ packet });
      if (ended.outcome === "fault") throw new Error(ended.fault.message);
      ({ steps } = ended);
      runs += 1;
      elapsed = performance.now() - start;
    }
    return { ns: (elapsed * 1e6) / runs, steps };
  };
  forAWhile(WARM_UP_MS);
  return forAWhile(MEASURE_MS);
}

function kernelNs({ program, packet, repeat }: Case): number | undefined {
  if (!kernelAvailable().ok) return undefined;
  const loaded = loadProgram(program, { logLevel: 0 });
  if (loaded.verdict === "reject") throw new Error(`${program.name}: ${loaded.message}`);
  try {
    const ended = testRun(loaded.fd, { packet, repeat });
    if (!ended.ran) throw new Error(ended.message);
    return ended.durationNs;
  } finally {
    loaded.close();
  }
}

const million = (ns: number, steps: number): string => ((steps * 1e3) / ns).toFixed(1);

function row(given: Case): Record<string, string | number> {
  const { ns, steps } = machineRuns(given);
  const kernel = kernelNs(given);
  return {
    program: given.name,
    "instructions a run": steps,
    "machine, ns a run": Math.round(ns),
    "machine, M insns/s": million(ns, steps),
    "kernel, ns a run": kernel ?? "none",
    "kernel, M insns/s": kernel === undefined || kernel === 0 ? "none" : million(kernel, steps),
  };
}

console.table(CASES.map(row));
