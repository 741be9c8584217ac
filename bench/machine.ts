/**
 * How fast programs run: the machine beside the kernel's JIT (by test-run with `repeat`, where bpf(2) can be used) and beside other machines whose binaries are named:
 *
 *     node bench/run.mjs machine [--peer ubpf=PATH]
 *
 * PATH is uBPF's `ubpf_test`, which is given `--mem FILE` and `--jit` before the program's file, and is timed from outside: the difference between a run and one that
 * repeats its loop twice as often. Any program that takes the same arguments, and the bytes of instructions in a file, can stand in its place. All figures of a line are of
 * the same loop; each is the best of several goes, since other processes only ever slow one down, and all but the kernel's, which it measures itself, are of processor time.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factsOfAccepted } from "../src/campaign/proved-facts.ts";
import { readPrograms } from "../src/object/read.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { loadProgram } from "../src/oracle/linux/load.ts";
import { testRun } from "../src/oracle/linux/test-run.ts";
import { assemble } from "../src/semantics/isa/assemble.ts";
import { encode } from "../src/semantics/isa/codec.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { Machine } from "../src/vm/machine.ts";
import { compileTimes } from "./machine-compile.ts";
import { CASES, type Case, packetProgram, rawProgram } from "./machine-programs.ts";

const WARM_UP_MS = 400;
const GO_MS = 100;
const GOES = 10;

/** Nanoseconds of this process's user time that one `run` takes, of the best go. */
function bestNs(run: () => void): number {
  const go = (ms: number): number => {
    const start = process.cpuUsage();
    const until = performance.now() + ms;
    let runs = 0;
    while (performance.now() < until) {
      run();
      runs += 1;
    }
    return (process.cpuUsage(start).user * 1e3) / runs;
  };
  go(WARM_UP_MS);
  return Math.min(...Array.from({ length: GOES }, () => go(GO_MS)));
}

const BUDGET = 1e9;

/** Instructions that a run executes. */
function stepsOf(program: Program, packet: Uint8Array): number {
  const ended = new Machine(program, { budget: BUDGET }).run({ packet });
  if (ended.outcome === "fault") throw new Error(`${program.name}: ${ended.fault.message}`);
  return ended.steps;
}

const packetFor = ({ bytes }: Case): Uint8Array => new Uint8Array(Math.max(64, bytes));

/** Who runs the loops: instructions a second, in millions; nothing where it cannot. */
type Contender = (given: Case) => number | undefined;

function interpreter(given: Case): number {
  const program = packetProgram(given, given.rounds);
  const packet = packetFor(given);
  const machine = new Machine(program, { budget: BUDGET });
  return (stepsOf(program, packet) * 1e3) / bestNs(() => machine.run({ packet }));
}

/** Rounds of loops one inside of the other, all of which the verifier takes for sure to end. */
const MOST_ROUNDS = 8_000_000;

/** Compiled, with the loop gone round so often in a run that what a run costs beside it does not matter. */
function compiled(mode: "checked" | "proved"): Contender {
  return (given) => {
    const rounds = Math.min(given.rounds, MOST_ROUNDS);
    const program = packetProgram(given, rounds, Math.ceil(MOST_ROUNDS / 4 / rounds));
    const packet = packetFor(given);
    const facts = mode === "proved" ? factsOfAccepted([program]) : undefined;
    if (facts?.size === 0) throw new Error(`${given.name}: the verifier does not accept it`);
    const machine = new Machine(program, { budget: BUDGET, jit: facts === undefined ? {} : { facts } });
    return (stepsOf(program, packet) * 1e3) / bestNs(() => machine.run({ packet }));
  };
}

const KERNEL_GOES = 5;

/** The kernel's average over `repeat` runs, the best of several. */
function kernelNs(program: Program, packet: Uint8Array, repeat: number): number | undefined {
  if (!kernelAvailable().ok) return undefined;
  const loaded = loadProgram(program, { logLevel: 0 });
  if (loaded.verdict === "reject") throw new Error(`${program.name}: ${loaded.message}`);
  try {
    const goes = Array.from({ length: KERNEL_GOES }, () => {
      const ended = testRun(loaded.fd, { packet, repeat });
      if (!ended.ran) throw new Error(ended.message);
      return ended.durationNs;
    });
    return Math.min(...goes);
  } finally {
    loaded.close();
  }
}

function kernel(given: Case): number | undefined {
  const program = packetProgram(given, given.verifiableRounds);
  const packet = packetFor(given);
  const steps = stepsOf(program, packet);
  const ns = kernelNs(program, packet, Math.ceil(2e7 / steps));
  return ns === undefined || ns === 0 ? undefined : (steps * 1e3) / ns;
}

const PEER_GOES = 5;

/** User time of a process as its shell tells it, in nanoseconds. */
function userNs(path: string, words: readonly string[]): number {
  const timed = 'TIMEFORMAT=%3U; time "$0" "$@" >/dev/null';
  const ended = spawnSync("bash", ["-c", timed, path, ...words], { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`${path}: ${ended.error?.message ?? ended.stderr}`);
  return Number(ended.stderr.trim().split("\n").at(-1)) * 1e9;
}

/** A run of uBPF's test program, from outside, in nanoseconds of user time: the best of several. */
function ubpfNs(path: string, given: Case, repeats: number): number {
  const folder = mkdtempSync(join(tmpdir(), "soundcheck-bench-"));
  try {
    const [code, memory] = [join(folder, "program"), join(folder, "memory")];
    writeFileSync(code, encode(rawProgram(given, repeats)));
    writeFileSync(memory, packetFor(given));
    return Math.min(
      ...Array.from({ length: PEER_GOES }, () => userNs(path, ["--mem", memory, "--jit", code])),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function ubpf(path: string): Contender {
  return (given) => {
    if (given.function?.calledBy === "helper") return undefined;
    const ns = ubpfNs(path, given, 2 * given.repeats) - ubpfNs(path, given, given.repeats);
    // The loop alone, without what a packet program does before it.
    const steps = stepsOf(packetProgram(given, given.rounds), packetFor(given)) * given.repeats;
    // Of a loop that takes next to nothing beside the start of a process nothing can be said.
    return ns > 0 ? (steps * 1e3) / ns : undefined;
  };
}

function peers(argv: readonly string[]): readonly (readonly [name: string, Contender])[] {
  return argv.flatMap((word, i) => {
    if (word !== "--peer") return [];
    const [name, path] = (argv[i + 1] ?? "").split("=");
    if (name !== "ubpf" || path === undefined) throw new Error("usage: --peer ubpf=PATH");
    return [[name, ubpf(path)] as const];
  });
}

const CONTENDERS: readonly (readonly [name: string, Contender])[] = [
  ["interpreter", interpreter],
  ["compiled, checked", compiled("checked")],
  ["compiled, proved", compiled("proved")],
  ["kernel (JIT)", kernel],
  ...peers(process.argv.slice(1)),
];

function speeds(given: Case): Record<string, string> {
  const columns = CONTENDERS.map(([name, speed]) => [name, speed(given)?.toFixed(0) ?? "none"] as const);
  return { program: given.name, ...Object.fromEntries(columns) };
}

console.log("million instructions a second");
console.table(CASES.map(speeds));

// --- Whole runs on small packets

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

function returning(): Program {
  const insns = assemble("r0 = 2\nexit");
  const name = "return alone";
  return { name, type: "xdp", license: "GPL", flags: [], insns, maps: [], lines: [], functions: [] };
}

function wholeRun(name: string, program: Program, packet: Uint8Array): Record<string, string | number> {
  const machine = new Machine(program);
  return {
    program: name,
    instructions: stepsOf(program, packet),
    interpreter: Math.round(bestNs(() => machine.run({ packet }))),
    kernel: kernelNs(program, packet, 100_000) ?? "none",
  };
}

console.log("nanoseconds a run");
console.table([
  wholeRun("return alone", returning(), new Uint8Array(64)),
  wholeRun("xdp_load_balancer (corpus)", corpusProgram(), udpPacket()),
]);

console.log("compiling, milliseconds of processor time for 1,000 instructions");
console.table(compileTimes());
