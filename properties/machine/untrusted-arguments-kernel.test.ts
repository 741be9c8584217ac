/**
 * Claim: loads through arguments that are tagged `arg:untrusted` give in the machine, interpreted and compiled, what they give in the running kernel: what is at the address, and 0 where nothing
 * is. Skipped with the reason where bpf(2) cannot be used.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../src/object/bundle.ts";
import { kernelAvailable } from "../../src/oracle/linux/kernel.ts";
import { loadProgram } from "../../src/oracle/linux/load.ts";
import { testRun } from "../../src/oracle/linux/test-run.ts";
import { Unsupported } from "../../src/semantics/errors.ts";
import type { Program } from "../../src/semantics/program/program.ts";
import { Machine } from "../../src/vm/machine.ts";

const kernel = kernelAvailable();
if (!kernel.ok) console.warn(`skipped: ${kernel.reason}`);

/** A function `sub` of one argument, a pointer to a number that nobody vouches for. */
const BUNDLE = new URL(
  "../../corpus/verifier/global-function-an-untrusted-number.prog.json",
  import.meta.url,
);
const CONTEXT = Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i);
const MAPS = [{ name: "m", type: "array", key_size: 4, value_size: 16, max_entries: 1 }];

/** The caller gives r1, and returns what the function returns. */
function program(before: readonly string[], sub: readonly string[]): Program {
  const bundle: unknown = JSON.parse(readFileSync(BUNDLE, "utf8"));
  if (typeof bundle !== "object" || bundle === null || !("func_info" in bundle)) throw new Error("no bundle");
  const asm = [...before, "call sub", "exit", "sub:", ...sub, "exit"];
  const slots = before.reduce((sum, line) => sum + (/map_value|ll$/.test(line) ? 2 : 1), 2);
  const infos: unknown = bundle.func_info;
  if (!Array.isArray(infos)) throw new Error("no functions");
  const [main, callee]: unknown[] = infos;
  const moved = typeof callee === "object" ? { ...callee, insn: slots } : undefined;
  return readBundle(JSON.stringify({ ...bundle, asm, maps: MAPS, func_info: [main, moved] })).program;
}

const STACK = ["r1 = 0x0123456789abcdef ll", "*(u64 *)(r10 -8) = r1", "r1 = r10", "r1 += -8"];
const VALUE = [
  "r2 = map_value[m]+0",
  "r1 = 0xfedcba9876543210 ll",
  "*(u64 *)(r2 +0) = r1",
  "*(u64 *)(r2 +8) = 77",
  "r1 = r2",
];

const LOADS = [
  "r0 = *(u8 *)(r1 +1)",
  "r0 = *(u16 *)(r1 +2)",
  "r0 = *(u32 *)(r1 +4)",
  "r0 = *(u64 *)(r1 +0)",
  "r0 = *(s8 *)(r1 +6)",
];

const CASES: readonly { readonly name: string; readonly give: readonly string[] }[] = [
  { name: "a small number", give: ["r1 = 5"] },
  { name: "null", give: ["r1 = 0"] },
  { name: "an address of the process", give: ["r1 = 0x7ffff7fff000 ll"] },
  { name: "an address that no processor has", give: ["r1 = 0x123456789abcdef0 ll"] },
  { name: "the last of these", give: ["r1 = 0xffff7ffffffffff0 ll"] },
  { name: "the stack", give: STACK },
  { name: "the value of a map", give: VALUE },
  { name: "the context", give: [] },
];

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));

function onMachine(tested: Program, jit: boolean): number {
  const ended = new Machine(tested, jit ? { jit: {} } : {}).run({ context: CONTEXT });
  if (ended.outcome === "fault") throw new Error(ended.fault.message);
  return low(ended.r0);
}

function onKernel(tested: Program): number {
  const loaded = loadProgram(tested);
  if (loaded.verdict === "reject") throw new Error(loaded.log);
  try {
    const ended = testRun(loaded.fd, { context: CONTEXT, contextBack: false });
    if (!ended.ran) throw new Error(ended.message);
    return ended.retval;
  } finally {
    loaded.close();
  }
}

function agree(tested: Program, what: string): void {
  const result = onKernel(tested);
  expect(onMachine(tested, false), what).toBe(result);
  expect(onMachine(tested, true), `${what}, compiled`).toBe(result);
}

describe.skipIf(!kernel.ok || process.arch !== "x64")(
  "loads through arguments that nobody vouches for",
  () => {
    for (const { name, give } of CASES) {
      it(`give what is there: ${name}`, () => {
        for (const load of LOADS) agree(program(give, [load]), load);
      });
    }

    it("go on behind sums, and through what is spilled", () => {
      agree(program(VALUE, ["r1 += 8", "r0 = *(u64 *)(r1 +0)"]), "a sum");
      agree(program(VALUE, ["r2 = 8", "r2 += r1", "r1 -= 1", "r0 = *(u32 *)(r1 +2)"]), "a difference");
      agree(
        program(STACK, ["*(u64 *)(r10 -8) = r1", "r2 = *(u64 *)(r10 -8)", "r0 = *(u32 *)(r2 +0)"]),
        "spilled",
      );
    });

    it("are not modelled where the machine has lost the address", () => {
      const masked = program(VALUE, ["r1 &= -1", "r0 = *(u64 *)(r1 +0)"]);
      for (const jit of [false, true]) expect(() => onMachine(masked, jit)).toThrow(Unsupported);
    });

    it("may not write", () => {
      for (const jit of [false, true])
        expect(() => onMachine(program(STACK, ["*(u8 *)(r1 +0) = 1", "r0 = 0"]), jit)).toThrow(
          "store to memory that is the kernel's",
        );
    });
  },
);
