/**
 * How long loops take to verify, by how often they go round: ours, closed by an invariant and a counter, beside the running kernel's verifier,
 * which follows every passage. Also the number of instructions that no run exceeds. `node bench/run.mjs loops`
 */
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { loadProgram } from "../src/oracle/linux/load.ts";
import { assemble } from "../src/semantics/isa/assemble.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { verify } from "../src/verifier/verify.ts";

const ROUNDS = 7;

const program = (...asm: readonly string[]): Program => ({
  name: "loop",
  type: "xdp",
  license: "GPL",
  flags: [],
  insns: assemble(asm),
  maps: [],
  lines: [],
  functions: [],
});

const counted = (times: number): Program =>
  program("r6 = 0", "l:", "r6 += 1", `if r6 < ${times} goto l`, "r0 = 2", "exit");
const nested = (times: number): Program =>
  program(
    "r6 = 0",
    "o:",
    "r7 = 0",
    "l:",
    "r7 += 1",
    `if r7 < ${times} goto l`,
    "r6 += 1",
    `if r6 < ${times} goto o`,
    "r0 = 2",
    "exit",
  );
const variable = (mask: number): Program =>
  program(
    "r6 = *(u32 *)(r1 +12)",
    `r6 &= ${mask}`,
    "r7 = 0",
    "l:",
    "if r7 >= r6 goto e",
    "r7 += 1",
    "goto l",
    "e:",
    "r0 = 2",
    "exit",
  );

const LOOPS: readonly (readonly [string, Program])[] = [
  ["1,000 times", counted(1000)],
  ["1,000,000 times", counted(1_000_000)],
  ["8,000,000 times", counted(8_000_000)],
  ["up to 1,023 times, by a number", variable(1023)],
  ["up to 1,048,575 times, by a number", variable(0xfffff)],
  ["1,000 times 1,000 times", nested(1000)],
];

/** The least milliseconds of some rounds. */
function fastest(work: () => void, rounds: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i += 1) {
    const start = performance.now();
    work();
    least = Math.min(least, performance.now() - start);
  }
  return Number(least.toFixed(2));
}

const kernel = kernelAvailable();

function kernelColumns(loop: Program): object {
  if (!kernel.ok) return {};
  let said = "";
  const ms = fastest(() => {
    const result = loadProgram(loop, { logLevel: 0 });
    said = result.verdict === "accept" ? "accept" : result.errno;
    if (result.verdict === "accept") result.close();
  }, 1);
  return { kernel: said, "kernel ms": ms };
}

console.table(
  LOOPS.map(([name, loop]) => {
    const ms = fastest(() => verify(loop), ROUNDS);
    const verdict = verify(loop);
    return {
      loop: name,
      verdict: verdict.verdict,
      processed: verdict.statistics.processed,
      ms,
      "longest run": verdict.verdict === "accept" ? verdict.longestRun.toString() : "",
      ...kernelColumns(loop),
    };
  }),
);
if (!kernel.ok) console.log(`no kernel to compare with: ${kernel.reason}`);
