/**
 * What a verdict costs as programs grow: families of programs (growth-families.ts) at several sizes, ours with its certificate checked beside the running kernel's
 * verifier: instructions processed, time, and the peak of memory of a process that does nothing else. For each family the exponent e with which
 * the time grows as n^e, over the greater sizes. `node bench/run.mjs growth` prints tables, a limit on memory among them;
 * `node bench/run.mjs growth --write docs` also writes docs/growth.md and, with gnuplot, docs/growth.svg.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { kernelAvailable } from "../src/oracle/linux/kernel.ts";
import { loadProgram } from "../src/oracle/linux/load.ts";
import { verify } from "../src/verifier/verify.ts";
import { FAMILIES, type Family } from "./growth-families.ts";

const { values, positionals } = parseArgs({
  options: { write: { type: "string" }, one: { type: "boolean", default: false } },
  allowPositionals: true,
});

interface Point {
  readonly n: number;
  readonly insns: number;
  readonly processed: number;
  /** A processor's. */
  readonly ms: number;
  /** Resident, in MiB, at its peak. */
  readonly memory: number;
  readonly kernel?: { readonly processed: number; readonly ms: number };
}

/** Milliseconds of a processor, those in the kernel among them, that the fastest of some rounds took. */
function fastest(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  for (let i = 0; i < 3 || (i < 15 && performance.now() - begun < 1000); i += 1) {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

function measure({ name, make, sizes }: Family, n: number): Point {
  // The engine's compilers have done their work before.
  const small = make(sizes[0] ?? n);
  for (let i = 0; i < 30; i += 1) verify(small);
  const program = make(n);
  const verdict = verify(program);
  if (verdict.verdict !== "accept") throw new Error(`${name} ${n}: ${JSON.stringify(verdict)}`);
  const ms = fastest(() => verify(program));
  const memory = process.resourceUsage().maxRSS / 1024;
  const kernel = kernelAvailable().ok ? ofKernel(program) : undefined;
  const { processed } = verdict.statistics;
  return {
    n,
    insns: program.insns.length,
    processed,
    ms,
    memory,
    ...(kernel === undefined ? {} : { kernel }),
  };
}

function ofKernel(program: Parameters<typeof loadProgram>[0]): Point["kernel"] {
  const counted = loadProgram(program);
  if (counted.verdict !== "accept") return undefined;
  const { processed } = counted;
  counted.close();
  if (processed === undefined) return undefined;
  const ms = fastest(() => {
    const result = loadProgram(program, { logLevel: 0 });
    if (result.verdict === "accept") result.close();
  });
  return { processed, ms };
}

/** The least-squares slope of log ms over log n, from the third greatest size on. */
function exponent(points: readonly (readonly [n: number, ms: number])[]): number | undefined {
  const last = points.slice(-3).map(([n, ms]) => [Math.log(n), Math.log(ms)] as const);
  if (last.length < 2) return undefined;
  const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
  const [x, y] = [mean(last.map(([a]) => a)), mean(last.map(([, b]) => b))];
  const over = last.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
  return last.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / over;
}

interface Measured {
  readonly family: Family;
  readonly points: readonly Point[];
}

const exponents = ({ points }: Measured): readonly (number | undefined)[] => [
  exponent(points.map(({ n, ms }) => [n, ms])),
  exponent(points.flatMap(({ n, kernel }) => (kernel === undefined ? [] : [[n, kernel.ms] as const]))),
];

const grouped = (x: number): string => x.toLocaleString("en", { maximumFractionDigits: 0 });
const short = (x: number | undefined): string => (x === undefined ? "–" : x < 10 ? x.toFixed(1) : grouped(x));

function table(all: readonly Measured[]): string {
  const rows = all.flatMap((measured) => {
    const [ours, theirs] = exponents(measured);
    return measured.points.map((p, i) => {
      const isLast = i === measured.points.length - 1;
      return [
        i === 0 ? measured.family.name : "",
        grouped(p.n),
        grouped(p.insns),
        grouped(p.processed),
        short(p.ms),
        grouped(p.memory),
        p.kernel === undefined ? "–" : grouped(p.kernel.processed),
        short(p.kernel?.ms),
        isLast ? (ours?.toFixed(2) ?? "–") : "",
        isLast ? (theirs?.toFixed(2) ?? "–") : "",
      ];
    });
  });
  const head = ["family", "n", "insns", "processed", "ms", "MiB", "by Linux", "ms", "e", "e of Linux"];
  return [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

function page(all: readonly Measured[]): string {
  const base = Math.min(...all.flatMap(({ points }) => points.map(({ memory }) => memory)));
  const most = all.flatMap(({ points }) => points).reduce((a, b) => (b.processed > a.processed ? b : a));
  return `# Cost by size

What a verdict costs as programs grow. Written by \`node bench/run.mjs growth --write docs\`, each line in a process of its own: the processor's time from the program to the
confirmed certificate, the peak of resident memory of that process (Node.js, the profile and the kernel's types take ${grouped(base)} MiB of it), and beside it
Linux's count and the processor's time for the load of the same program. Time grows as n^e over the three greatest sizes.

${table(all)}

What n counts: ${all.map(({ family }) => `*${family.name}*, ${family.counts}`).join("; ")}.

The most that is processed is ${grouped(most.processed)} instructions, at a peak of ${grouped(most.memory)} MiB.

![time by size](growth.svg)
`;
}

/** One small plot for each family: both times over n, on logarithmic scales. */
function plot(all: readonly Measured[], file: string): void {
  const columns = 3;
  const rows = Math.ceil(all.length / columns);
  const lines = [
    `set terminal svg size ${320 * columns},${260 * rows} font "sans-serif,11" background "white"`,
    `set output "${file}"`,
    `set multiplot layout ${rows},${columns}`,
    "set logscale xy",
    'set format x "10^{%L}"',
    'set format y "10^{%L}"',
    "set key top left samplen 2",
    'set ylabel "ms" offset 1',
    ...all.flatMap(({ family, points }, i) => [
      `$f${i} << END`,
      ...points.map(({ n, ms, kernel }) => `${n} ${ms} ${kernel?.ms ?? "NaN"}`),
      "END",
      `set title "${family.name}"`,
      `plot $f${i} using 1:2 with linespoints pt 7 ps 0.5 title "soundcheck", $f${i} using 1:3 with linespoints pt 6 ps 0.5 title "Linux"`,
    ]),
    "unset multiplot",
  ];
  execFileSync("gnuplot", [], { input: `${lines.join("\n")}\n` });
}

if (values.one) {
  const [name, n] = positionals;
  const family = FAMILIES.find((f) => f.name === name);
  if (family === undefined) throw new Error(`no family ${name}`);
  console.log(JSON.stringify(measure(family, Number(n))));
} else {
  const chosen = FAMILIES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const all = chosen.map((family) => {
    const points = family.sizes.map((n): Point => {
      const args = ["bench/run.mjs", "growth", "--one", family.name, String(n)];
      return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    });
    const measured = { family, points };
    console.log(`${table([measured])}\n`);
    return measured;
  });
  if (values.write !== undefined) {
    writeFileSync(`${values.write}/growth.md`, page(all));
    plot(all, `${values.write}/growth.svg`);
  }
}
