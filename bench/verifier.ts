/**
 * How fast programs are verified: instructions processed a second, on the corpus' largest objects and on what Debian ships (if
 * scripts/fetch-objects.sh has fetched it), beside the running kernel's verifier where bpf(2) can be used. Our time is that of a verdict,
 * from the program to the confirmed certificate, and as a part of it that of the check; the rate is that of the rest, which is what a kernel does.
 * Both are warm: what a compiler of the running engine still has to do is done before. `node bench/run.mjs verifier`
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readObject } from "../src/object/programs.ts";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { loadProgram } from "../src/oracle/linux/load.ts";
import type { Program } from "../src/semantics/program/program.ts";
import { checkCertificate } from "../src/verifier/check-certificate.ts";
import { verify } from "../src/verifier/verify.ts";

/** Each is done so many times at least, and for so many milliseconds, and as long again before to warm up. */
const ROUNDS = 10;
const LEAST_MS = 1500;
const SHOWN = 5;
const root = new URL("../", import.meta.url);

function programsIn(folder: string): Program[] {
  const url = new URL(folder, root);
  if (!existsSync(url)) return [];
  return readdirSync(url)
    .filter((name) => name.endsWith(".o"))
    .flatMap((name) => readObject(readFileSync(new URL(name, url))).programs);
}

/** The least milliseconds of many rounds. */
function fastest(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (const counts of [false, true]) {
    const begun = performance.now();
    for (let i = 0; i < ROUNDS || performance.now() - begun < LEAST_MS; i += 1) {
      const start = performance.now();
      work();
      if (counts) least = Math.min(least, performance.now() - start);
    }
  }
  return least;
}

const kernel = kernelAvailable();

function kernelRow(program: Program): { readonly processed: number; readonly ms: number } | undefined {
  if (!kernel.ok) return undefined;
  const counted = loadProgram(program);
  if (counted.verdict !== "accept" || counted.processed === undefined) return undefined;
  counted.close();
  const ms = fastest(() => {
    const result = loadProgram(program, { logLevel: 0 });
    if (result.verdict === "accept") result.close();
  });
  return { processed: counted.processed, ms };
}

/** The accepted programs that took most. */
function largest(programs: readonly Program[]): readonly Program[] {
  return programs
    .map((program) => ({ program, verdict: verify(program) }))
    .filter(({ verdict }) => verdict.verdict === "accept")
    .sort((a, b) => b.verdict.statistics.processed - a.verdict.statistics.processed)
    .slice(0, SHOWN)
    .map(({ program }) => program);
}

function measure(programs: readonly Program[]): object[] {
  return largest(programs).map((program) => {
    const verdict = verify(program);
    if (verdict.verdict !== "accept") throw new Error(`${program.name} was accepted a moment ago`);
    const ms = fastest(() => verify(program));
    const checking = fastest(() => checkCertificate(program, verdict.certificate));
    const theirs = kernelRow(program);
    const { processed } = verdict.statistics;
    return {
      program: program.name,
      insns: program.insns.length,
      processed,
      ms: Number(ms.toFixed(1)),
      "of it the check": Number(checking.toFixed(1)),
      "insns/s": Math.round((processed / (ms - checking)) * 1000),
      "kernel processed": theirs?.processed,
      "kernel ms": theirs === undefined ? undefined : Number(theirs.ms.toFixed(1)),
      "kernel insns/s": theirs === undefined ? undefined : Math.round((theirs.processed / theirs.ms) * 1000),
    };
  });
}

console.log("the corpus");
console.table(measure(programsIn("corpus/objects/")));
const debian = ["xdp-tools", "libxdp1"].flatMap((p) => programsIn(`.cache/debian-objects/${p}/`));
if (debian.length > 0) {
  console.log("Debian's xdp-tools");
  console.table(measure(debian));
}
if (!kernel.ok) console.log(`no kernel to compare with: ${kernel.reason}`);
console.log(`resident memory ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
