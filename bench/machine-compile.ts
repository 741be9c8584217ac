/** What it takes to compile programs: our emission of a module, and the engine's share, in milliseconds of processor time for 1,000 instructions. Part of `machine.ts`. */
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { readPrograms } from "../src/object/read.ts";
import { assemble } from "../src/semantics/isa/assemble.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { runnableContext } from "../src/vm/input.ts";
import { compileProgram } from "../src/vm/jit/module.ts";
import { prepare } from "../src/vm/op.ts";

const OBJECTS = new URL("../corpus/objects/", import.meta.url);
const SMALL = { least: 10, most: 80 };
const WARM_UP_MS = 600;
const GOES = 20;
const GO_MS = 40;

/** The corpus's small programs. */
function smallPrograms(): readonly Program[] {
  const all = readdirSync(OBJECTS)
    .filter((name) => name.endsWith(".v4.o"))
    .flatMap((name) => readPrograms(name, readFileSync(new URL(name, OBJECTS))).programs);
  return all.filter(({ insns }) => insns.length >= SMALL.least && insns.length <= SMALL.most);
}

/** A program of a few thousand instructions: loads from a packet, branches, arithmetic, numbers kept on the stack. */
function longProgram(): Program {
  const parts = Array.from(
    { length: 300 },
    (_, i) => `
      r5 = *(u8 *)(r2 +${i % 60})
      if r5 > ${i % 200} goto part${i}
      r7 += r5
      *(u64 *)(r10 -${8 + 8 * (i % 30)}) = r7
      r7 <<= 3
      r8 = r7
      r8 ^= r5
      r0 += r8
    part${i}:
      w0 += 3`,
  );
  const insns = assemble(`
      r0 = 0
      r2 = *(u32 *)(r1 +0)
      r3 = *(u32 *)(r1 +4)
      r4 = r2
      r4 += 64
      if r4 > r3 goto out
      r7 = 1
      ${parts.join("")}
    out:
      exit`);
  const name = "a long program";
  return { name, type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [], functions: [] };
}

/** Microseconds of processor time, the engine's threads included, of one `run`: the least of several goes. */
function leastMicroseconds(run: () => unknown): number {
  const go = (ms: number): number => {
    const start = process.cpuUsage();
    let runs = 0;
    let spent = 0;
    while (spent < 1e3 * ms) {
      run();
      runs += 1;
      const { user, system } = process.cpuUsage(start);
      spent = user + system;
    }
    return spent / runs;
  };
  go(WARM_UP_MS);
  return Math.min(...Array.from({ length: GOES }, () => go(GO_MS)));
}

/** A module with a custom section behind it: one that the engine has seen before costs next to nothing. */
function fresh(bytes: Uint8Array, n: number): Uint8Array {
  const section = [0, 6, 1, 0x6e, n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255];
  const all = new Uint8Array(bytes.length + section.length);
  all.set(bytes);
  all.set(section, bytes.length);
  return all;
}

function row(name: string, programs: readonly Program[]): Record<string, string | number> {
  const sources = programs.map((program) => ({
    ops: prepare(program),
    insns: program.insns,
    facts: undefined,
    context: runnableContext(program),
    allowsUnwritten: false,
  }));
  const instructions = programs.reduce((sum, { insns }) => sum + insns.length, 0);
  const emission = leastMicroseconds(() => {
    for (const source of sources) compileProgram(source);
  });
  const modules = sources.map((source) => compileProgram(source).bytes);
  let n = 0;
  const engine = (): number =>
    leastMicroseconds(() => {
      n += 1;
      return modules.map((bytes) => new WebAssembly.Module(fresh(bytes, n)));
    });
  const lazy = engine();
  setFlagsFromString("--no-wasm-lazy-compilation");
  const eager = engine();
  setFlagsFromString("--wasm-lazy-compilation");
  return {
    programs: name,
    instructions,
    "bytes an instruction": (modules.reduce((sum, { length }) => sum + length, 0) / instructions).toFixed(1),
    emission: (emission / instructions).toFixed(2),
    "engine, before a run": (lazy / instructions).toFixed(2),
    "engine, all functions": (eager / instructions).toFixed(2),
  };
}

/** What compiling takes, apart for our emission and the engine, which compiles a function when it is first called unless it is told otherwise. */
export function compileTimes(): readonly Record<string, string | number>[] {
  const small = smallPrograms();
  return [row(`${small.length} of the corpus`, small), row("one long program", [longProgram()])];
}
