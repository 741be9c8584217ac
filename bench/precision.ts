/**
 * How near each abstract operator comes to the best there is: `node bench/run.mjs precision` prints it for 4 bits, of samples, in a few seconds,
 * `node bench/run.mjs precision --write docs/precision.md` measures at 4, 5, 6 and 8 bits and writes the page, with a process for each processor:
 * some minutes with two; with `--exhaustive`, where the product's pairs are all gone through at 5 bits, an hour with two. What has been measured
 * is kept (`.cache/precision`) as long as the operator stays what it is, so that a run that was stopped goes on where it was. Names of operators,
 * if any, choose some (`node bench/run.mjs precision mul "low 2"`).
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { OPERATORS, type Operator } from "../properties/scalar/operators.ts";
import { type Limits, measure, type Tally, textOf } from "../properties/scalar/precision.ts";
import { DRAWN, type Known, pool } from "../properties/scalar/tightest.ts";

const { values, positionals } = parseArgs({
  options: {
    write: { type: "string" },
    /** Measures one operator for the page and prints its tallies; what `--write` starts. */
    tallies: { type: "boolean", default: false },
    exhaustive: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const chosen = OPERATORS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

/** Pairs gone through for one figure. Where there are more than `all`, as many are drawn as fit into a minute or so. */
const LIMITS: Readonly<Record<number, Limits>> = {
  4: { all: 4_000_000, sample: 4_000_000 },
  5: { all: 5_000_000, sample: 10_000_000 },
  6: { all: 5_000_000, sample: 10_000_000 },
  8: { all: 100_000, sample: 4_000_000 },
};
const QUICK: Limits = { all: 100_000, sample: 100_000 };
const EXHAUSTIVE: Limits = { all: 1_000_000_000, sample: 0 };
const forPage = values.write !== undefined || values.tallies;
const limitsAt = (width: number, known: Known = "everything"): Limits => {
  if (!forPage) return QUICK;
  if (values.exhaustive && width === 5 && known === "everything") return EXHAUSTIVE;
  const found = LIMITS[width];
  if (found === undefined) throw new Error(`no limits at ${width} bits`);
  return found;
};

const KEPT = ".cache/precision";
/** What `make` measures, from the file that keeps it if it was measured before. */
function kept(of: string, make: () => Tally): Tally {
  const file = `${KEPT}/${createHash("sha256").update(of).digest("hex")}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
  const made = make();
  mkdirSync(KEPT, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
  renameSync(`${file}.${process.pid}`, file);
  return made;
}

const percent = (n: number, of: number): string => {
  const tenths = Math.floor((1000 * n) / of) / 10;
  return n === of ? "100 %" : `${tenths.toFixed(1)} %`;
};

type Row = readonly [name: string, ...cells: string[]];
function table(head: readonly string[], rows: readonly Row[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

const memo = new Map<string, Tally>();
function tallied(operator: Operator, width: number, known: Known, exchange = true): Tally | undefined {
  if (!operator.measured.includes(width)) return undefined;
  const key = `${operator.name}:${width}:${known}:${exchange}`;
  const found = memo.get(key);
  if (found !== undefined) return found;
  const limits = limitsAt(width, known);
  const make = (): Tally => measure(operator, width, known, limits, exchange);
  const of = (): string => [key, JSON.stringify(limits), textOf(operator, width, exchange)].join("\n");
  const made = forPage ? kept(of(), make) : make();
  memo.set(key, made);
  return made;
}

/** Measures what the page says of all operators, each in a process of its own. */
async function measureAll(): Promise<void> {
  const left = [...OPERATORS];
  const extent = values.exhaustive ? ["--exhaustive"] : [];
  const next = async (): Promise<void> => {
    const operator = left.shift();
    if (operator === undefined) return;
    const started = performance.now();
    const text = await output(["bench/run.mjs", "precision", "--tallies", operator.name, ...extent]);
    const tallies: Record<string, Tally> = JSON.parse(text);
    for (const [key, tally] of Object.entries(tallies)) memo.set(key, tally);
    console.log(`${operator.name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    await next();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
}

const output = (args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, args, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });

type Counts = { readonly [K in keyof Tally]: Tally[K] extends number ? K : never }[keyof Tally];
const share = (tally: Tally | undefined, of: Counts): string =>
  tally === undefined ? "–" : `${percent(tally[of], tally.pairs)}${tally.exhaustive ? "" : " *"}`;

const COMPONENTS = ["tnum", "unsigned", "signed"] as const;

/** One component of the operands known: that component of the result. */
const components = (widths: readonly number[]): string =>
  table(
    ["operator", ...COMPONENTS.flatMap((c) => widths.map((w) => `${c}, ${w} bits`))],
    chosen.map((o) => [o.name, ...COMPONENTS.flatMap((c) => widths.map((w) => share(tallied(o, w, c), c)))]),
  );

/** What is claimed to be the best without help from other components. */
const OPTIMAL_TNUM = ["add", "sub", "and", "or", "xor"];
const alone = (widths: readonly number[]): string =>
  table(
    ["operator", ...widths.map((w) => `${w} bits`)],
    chosen
      .filter(({ name }) => OPTIMAL_TNUM.includes(name))
      .map((o) => [o.name, ...widths.map((w) => share(tallied(o, w, "tnum", false), "tnum"))]),
  );

const intervals = (widths: readonly number[]): string =>
  table(
    ["operator", ...widths.map((w) => `${w} bits`)],
    chosen.map((o) => [o.name, ...widths.map((w) => share(tallied(o, w, "intervals"), "intervals"))]),
  );

const product = (widths: readonly number[]): string =>
  table(
    ["operator", ...widths.map((w) => `${w} bits`)],
    chosen.map((o) => [o.name, ...widths.map((w) => share(tallied(o, w, "everything"), "everything"))]),
  );

const detail = (width: number): string =>
  table(
    ["operator", "product", ...COMPONENTS, "exchange", "held / needed"],
    chosen
      .filter(({ measured }) => measured.includes(width))
      .map((o) => {
        const tally = tallied(o, width, "everything");
        const ratio = tally === undefined ? "–" : (tally.held / tally.needed).toFixed(3);
        const shares = (["everything", ...COMPONENTS, "complete"] as const).map((c) => share(tally, c));
        return [o.name, ...shares, ratio];
      }),
  );

const grouped = (n: number): string => n.toLocaleString("en");

function page(): string {
  const [four, five, six] = [4, 5, 6].map((width) => pool(width, "everything").size);
  if (four === undefined || five === undefined || six === undefined) throw new Error("three pools");
  const sampled = values.exhaustive ? [6, 8] : [5, 6, 8];
  const drawn = sampled.map((w) => `${grouped(limitsAt(w).sample)} at ${w} bits`).join(", ");
  return `# Precision

How often an abstract operator gives the best result there is: the tightest part (tnum, unsigned and signed interval) around the numbers that
can come out. Written by \`node bench/run.mjs precision --write docs/precision.md\`; \`node bench/run.mjs precision\` alone
prints figures for 4 bits, of samples, in a few seconds. \`properties/scalar/precision.test.ts\` holds them to the claims and the goal of 90 %.

An operator is the same term at every width; here its width is small enough to know the best result. "Low 3" keeps the low three bits, "sign extension of
3" extends them. Shifts take their count modulo the width, which is a mask only where the width is a power of two: they are measured at 4 and 8 bits.
A percentage is cut, not rounded: 100 % means all. A star marks a sample; all other figures are of all operands.

## One component

Operands of which one component is known and the others follow from it by synchronisation. How often is that component of the synchronised
result the best.

${components([4, 5, 6])}

## What is claimed to be optimal

Tnums by themselves: no other component known, none asked.

${alone([4, 5, 6])}

## Both intervals

Operands of which both intervals are known, as tight as can be; how often are both intervals of the synchronised result the best.
For sums and differences that is claimed for all. Shifts try every count against both halves of either operand.

${intervals([4, 5, 6])}

## The product

Operands are the tightest parts around the sets they hold, each set once: ${grouped(four)} at 4 bits, ${grouped(five)} at 5, ${grouped(six)} at 6, which makes
${grouped(four ** 2)}, ${grouped(five ** 2)} and ${grouped(six ** 2)} pairs. Parts are gone through one and all where there is one operand, pairs at 4 bits${values.exhaustive ? " and at 5" : ""}; otherwise they are
drawn with equal chance (${drawn}; at 8 bits from ${grouped(DRAWN)} parts, drawn as well), so that shares are known to a tenth of a per cent. All pairs at 6 bits would take days for each operator.
The result is synchronised; the share of those in which every component is the best.

${product([4, 5, 6, 8])}

In detail at 4 bits: each component; results that would be the best if the components told each other all they know ("exchange"), so that the rest is
the operator's own loss; and how many numbers the results hold for each that the best results hold.

${detail(4)}

The same at 8 bits.

${detail(8)}
`;
}

if (values.tallies) {
  page();
  console.log(JSON.stringify(Object.fromEntries(memo)));
} else if (values.write === undefined) {
  console.log(
    `One component known, 4 bits\n\n${components([4])}\n\nBoth intervals, 4 bits\n\n${intervals([4])}\n`,
  );
  console.log(`All known, 4 bits\n\n${detail(4)}`);
} else {
  if (positionals.length > 0) throw new Error("--write writes the page of all operators");
  await measureAll();
  writeFileSync(values.write, page());
}
